/** One operation of the REST twin, declared once: what routes, reads, asks, answers and documents it. */
import type { z } from '@hono/zod-openapi';
import type { AtOnce } from '../http/at-once.ts';
import type { Body as RequestBody } from '../http/bodies.ts';
import type { Caller, Scope } from '../identity/caller.ts';
import { isProblem, type Problem } from '../outcomes.ts';
import type { ReadingWorld } from '../packs/contents/reading-world.ts';
import { RequestRefused } from '../request-refused.ts';
import type { Declaration, Kinded, PathParameters, SuccessOf } from './declaration.ts';
import { problemResponse, spelledForRest } from './problem-response.ts';
import { readQuery } from './read-input.ts';
import { type Route, routeOf } from './route.ts';

/** The share of an answer about one thing, its longest texts included. */
const ORDINARY_SHARE = 1 / 64;

export interface Asked {
  readonly request: Request;
  readonly parameters: PathParameters;
  /** The uploads that are under way. */
  readonly uploads: AtOnce;
  /** The downloads from the registry that are under way. */
  readonly downloads: AtOnce;
  readonly body: RequestBody;
  /** Waits for the caller's turn to be answered; @param share of the most that one answer may cost */
  beginAnswer(share: number): Promise<void>;
}

export interface Operation {
  readonly needs: Scope | null;
  readonly route: Route;
  /** Answers a caller who has the scope; `outcomes` is told how. */
  answer(world: ReadingWorld, caller: Caller, asked: Asked, outcomes: string[]): Promise<Response>;
}

/** A use-case as a route: reads what it declares, refuses what does not fit, runs it, and writes its outcome. */
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
