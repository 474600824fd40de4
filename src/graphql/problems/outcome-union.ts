import type { ObjectRef } from '@pothos/core';
import type { Problem } from '../../outcomes.ts';
import { builder, type PothosTypes } from '../builder.ts';
import { problemTypes } from './problem-types.graphql.ts';

type Kinded = { readonly kind: string };

/** The problems that an outcome can be. */
type ProblemsIn<Outcome extends Kinded> = Extract<Outcome, Problem>['kind'];
/** What is no problem is the one success. */
type SuccessOf<Outcome extends Kinded> = Exclude<Outcome, Problem>;

/**
 * The union of what a use-case can answer. The compiler wants every problem of `Outcome` named, and no other: an
 * outcome that the schema cannot express does not build.
 */
export function outcomeUnion<Outcome extends Kinded>(
  name: string,
  description: string,
  success: ObjectRef<PothosTypes, SuccessOf<Outcome>>,
  problems: { readonly [Kind in ProblemsIn<Outcome>]: true },
) {
  // The type of `problems` is what makes these keys kinds; Object.keys cannot know.
  const kinds = Object.keys(problems) as ProblemsIn<Outcome>[];
  // Each is of a part of `Outcome`, together they are of all of it.
  const types = [success, ...kinds.map((kind) => problemTypes[kind])] as ObjectRef<
    PothosTypes,
    Outcome
  >[];
  return builder.unionType(name, {
    description,
    types,
    resolveType: (outcome) => {
      const problem = kinds.find((kind) => kind === outcome.kind);
      return problem === undefined ? success.name : problemTypes[problem].name;
    },
  });
}
