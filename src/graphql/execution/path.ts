import type { GraphQLResolveInfo } from 'graphql';
import type { FieldPlan } from './plan.ts';

/** Where a value is in the answer. */
export type Path = GraphQLResolveInfo['path'];

export const pathOf = (field: FieldPlan, parent: Path | undefined): Path => ({
  prev: parent,
  key: field.key,
  typename: field.parentType.name,
});

/** A path as errors tell it. */
export function stepsOf(path: Path): (string | number)[] {
  const steps: (string | number)[] = [];
  for (let at: Path | undefined = path; at !== undefined; at = at.prev) steps.push(at.key);
  return steps.reverse();
}
