import { headersOfRefusal } from '../http/error-envelope.ts';
import { graphqlCode } from '../outcomes.ts';
import type { RequestRefused } from '../request-refused.ts';
import { answerType } from './answer-type.ts';

/** What refuses a request as a whole, in GraphQL's form; the caller of this notes the outcome. */
export function errorResponse(
  { code, message, status }: RequestRefused,
  request: Request,
  requestId: string,
): Response {
  const body = { errors: [{ message, extensions: { code: graphqlCode(code), requestId } }] };
  const type = answerType(request) ?? 'application/json';
  const headers = { 'content-type': `${type}; charset=utf-8`, ...headersOfRefusal(code) };
  return new Response(JSON.stringify(body), { status, headers });
}
