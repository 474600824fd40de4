/** One operation of the REST twin, declared once: what routes, reads, asks, answers and documents it. */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { AtOnce } from '../http/at-once.ts';
import type { Body as RequestBody } from '../http/bodies.ts';
import type { Caller, Scope } from '../identity/caller.ts';
import { isProblem, type Problem, type ProblemKind } from '../outcomes.ts';
import type { ReadingWorld } from '../packs/contents/reading-world.ts';
import { type RefusalCode, RequestRefused } from '../request-refused.ts';
import { documentedResponses, type Success } from './documented-responses.ts';
import { problemResponse, spelledForRest } from './problem-response.ts';
import { type Body, readQuery } from './read-input.ts';

type Kinded = { readonly kind: string };
type SuccessOf<Outcome extends Kinded> = Exclude<Outcome, Problem>;

export interface Input<Query, BodyValue> {
  /** The id in the path, as the caller sent it; empty where the path has none. */
  readonly id: string;
  /** The path of a file in the path; empty where the path has none. */
  readonly path: string;
  readonly query: Query;
  readonly body: BodyValue;
  readonly headers: Headers;
}

interface Declaration<
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

/** The share of an answer about one thing, its longest texts included. */
const ORDINARY_SHARE = 1 / 64;

/** What the path of a request holds. */
export interface PathParameters {
  /** Empty where it has none. */
  readonly id: string;
  /** Of a file in a pack; empty where it has none. */
  readonly path: string;
}

export interface Asked {
  readonly request: Request;
  readonly parameters: PathParameters;
  /** The uploads that are under way. */
  readonly uploads: AtOnce;
  readonly body: RequestBody;
  /** Waits for the caller's turn to be answered; @param share of the most that one answer may cost */
  beginAnswer(share: number): Promise<void>;
}

export interface Operation {
  readonly needs: Scope | null;
  readonly route: RouteConfig & { getRoutingPath(): string };
  /** Answers a caller who has the scope; `outcomes` is told how. */
  answer(world: ReadingWorld, caller: Caller, asked: Asked, outcomes: string[]): Promise<Response>;
}

export const noQuery = z.object({});

export function operation<
  Outcome extends Kinded,
  Answer extends z.ZodType,
  Query extends z.ZodObject,
  BodyValue,
>(declared: Declaration<Outcome, Answer, Query, BodyValue>): Operation {
  return {
    needs: declared.needs,
    route: routeOf(declared),
    async answer(
      world,
      caller,
      { request, parameters, body: sent, uploads, beginAnswer },
      outcomes,
    ) {
      await using disposables = new AsyncDisposableStack();
      const refuse = (problem: Problem) => {
        outcomes.push(problem.kind);
        return problemResponse(world, caller, problem);
      };
      if (declared.method !== 'get' && declared.takesCondition !== true) {
        refuseConditions(request.headers);
      }
      const query = readQuery(declared.query, new URL(request.url).searchParams);
      if (query.kind === 'validation_failed') return refuse(query);
      const { maxArchiveBytes } = world.config;
      const body = await declared.body.read(request, {
        maxFileBytes: maxArchiveBytes,
        beginUpload: () => void disposables.use(uploads.begin(caller.orgId)),
        sent,
        disposables,
      });
      if (body.kind === 'validation_failed') return refuse(body);
      await beginAnswer(declared.shareOf?.(query.value) ?? ORDINARY_SHARE);
      const { headers } = request;
      const input = { ...parameters, query: query.value, body: body.value, headers };
      const outcome = await declared.run(world, caller, input);
      if (isProblem(outcome)) return refuse(spelledForRest(outcome));
      outcomes.push(outcome.kind);
      // What is no problem is a success: the two make up `Outcome`.
      const success = outcome as SuccessOf<Outcome>;
      const answer = await declared.present(success, world, caller);
      return Response.json(answer, {
        status: declared.success.status,
        headers: declared.etag === undefined ? {} : { etag: declared.etag(success) },
      });
    },
  };
}

/** A change that is wanted only under a condition must not be made without checking it. */
function refuseConditions(headers: Headers): void {
  const condition = ['If-Match', 'If-None-Match'].find((name) => headers.has(name));
  if (condition === undefined) return;
  throw new RequestRefused('bad_request', `${condition} is not checked here: leave it out.`);
}

export function routeOf<
  Outcome extends Kinded,
  Answer extends z.ZodType,
  Query extends z.ZodObject,
  B,
>({
  method,
  path,
  operationId,
  summary,
  tag,
  needs,
  query,
  body,
  problems,
  success,
  etag,
  takesCondition,
}: Documented<Outcome, Answer, Query, B>): Operation['route'] {
  // The type of `problems` is what makes these keys kinds; Object.keys cannot know.
  const kinds = new Set(Object.keys(problems) as ProblemKind[]);
  // At least for a query parameter that the operation does not know.
  kinds.add('validation_failed');
  const hasETag = etag !== undefined || success.mediaType !== undefined;
  const hasQuery = Object.keys(query.shape).length > 0;
  const refused: RefusalCode[] = ['unauthenticated', ...body.refusals];
  if (needs !== null) refused.push('permission_denied');
  if (takesCondition === true) refused.push('precondition_failed');
  return createRoute({
    method,
    path,
    operationId,
    summary,
    tags: [tag],
    security: [{ bearer: needs === null ? [] : [needs] }],
    request: {
      ...(path.includes('{id}') && {
        params: path.includes('{path}') ? fileParameters : idParameter,
      }),
      ...(hasQuery && { query }),
      ...(takesCondition && { headers: conditionHeaders }),
      ...(body.documented && { body: body.documented }),
    },
    responses: documentedResponses({ ...success, hasETag }, [...kinds], refused),
  });
}

const idParameter = z.object({
  id: z.string().openapi({ description: 'An opaque id, such as pack_….' }),
});

const conditionHeaders = z.object({
  'if-match': z.string().optional().openapi({
    description:
      'An ETag from an earlier answer: the change is made only where it still holds, else 412.',
  }),
  'if-none-match': z.string().optional().openapi({
    description: '`*`: the change is made only where nothing is overwritten, else 412.',
  }),
});

const fileParameters = idParameter.extend({
  path: z.string().openapi({
    description: 'A file in the pack, slashes as they are: guides/first-steps.md.',
  }),
});

/** What the OpenAPI document says of an operation. */
type Documented<
  Outcome extends Kinded,
  Answer extends z.ZodType,
  Query extends z.ZodObject,
  B,
> = Omit<Declaration<Outcome, Answer, Query, B>, 'run' | 'present' | 'shareOf'>;
