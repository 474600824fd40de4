/** What is declared of an operation. */
import { z } from '@hono/zod-openapi';
import type { Caller, Scope } from '../identity/caller.ts';
import type { Problem } from '../outcomes.ts';
import type { ReadingWorld } from '../packs/contents/reading-world.ts';
import type { Success } from './documented-responses.ts';
import type { Body } from './read-input.ts';

/** Of an operation that takes no parameters in its query string. */
export const noQuery = z.object({});

/** What the path of a request holds. */
export interface PathParameters {
  /** As the caller sent it; empty where the path has none. */
  readonly id: string;
  /** Of a file in a pack; empty where the path has none. */
  readonly path: string;
}

export type Kinded = { readonly kind: string };
export type SuccessOf<Outcome extends Kinded> = Exclude<Outcome, Problem>;

export interface Input<Query, BodyValue> extends PathParameters {
  readonly query: Query;
  readonly body: BodyValue;
  readonly headers: Headers;
}

export interface Declaration<
  Outcome extends Kinded,
  Answer extends z.ZodType,
  Query extends z.ZodObject,
  BodyValue,
> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: `/v1/${string}`;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: 'Packs' | 'Agent roles' | 'Audit';
  /** Asked for before anything is read; null: any caller may. */
  readonly needs: Scope | null;
  readonly query: Query;
  readonly body: Body<BodyValue>;
  /** Every problem of `Outcome`, and no other: the compiler sees to it. */
  readonly problems: { readonly [Kind in Extract<Outcome, Problem>['kind']]: true };
  readonly success: Success & { readonly schema: Answer };
  run(
    world: ReadingWorld,
    caller: Caller,
    input: Input<z.output<Query>, BodyValue>,
  ): Promise<Outcome>;
  /** A success as REST writes it. */
  present(
    outcome: SuccessOf<Outcome>,
    world: ReadingWorld,
    caller: Caller,
  ): z.input<Answer> | Promise<z.input<Answer>>;
  /** The share of what one answer may cost at most, where it is large. */
  readonly shareOf?: (query: z.output<Query>) => number;
  /** The ETag of what a success answers. */
  readonly etag?: (outcome: SuccessOf<Outcome>) => string;
  /** Whether `If-Match` and `If-None-Match` are checked; a change that does not check them refuses them. */
  readonly takesCondition?: true;
}
