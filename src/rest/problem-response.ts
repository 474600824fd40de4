import type { ErrorEnvelope } from '../http/error-envelope.ts';
import type { Caller } from '../identity/caller.ts';
import { type Problem, problemRow } from '../outcomes.ts';
import { problemDetails } from '../problem-details.ts';
import type { World } from '../world.ts';
import { snakeCase } from './letter-case.ts';

/** A problem as REST writes it; status, code and message are those of the catalogue. */
export async function problemResponse(
  world: World,
  caller: Caller,
  problem: Problem,
): Promise<Response> {
  const { code, status, message } = problemRow(problem);
  const details = await problemDetails(world, caller, problem);
  const body: ErrorEnvelope = {
    error: {
      code: code(problem),
      message: message(problem),
      request_id: caller.requestId,
      ...(details !== null && { details }),
    },
  };
  return Response.json(body, { status, headers: retryAfter(problem) });
}

/** Use-cases name fields as the code does; here they are named as in the request. */
export function spelledForRest(problem: Problem): Problem {
  if (problem.kind !== 'validation_failed') return problem;
  const fields = problem.fields.map(({ path, message }) => ({ path: snakeCase(path), message }));
  return { ...problem, fields };
}

function retryAfter(problem: Problem): Record<string, string> {
  if (!('failure' in problem) || problem.failure.retryAfterSeconds === undefined) return {};
  return { 'retry-after': String(Math.ceil(problem.failure.retryAfterSeconds)) };
}
