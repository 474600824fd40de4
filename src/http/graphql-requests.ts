/** Requests for the GraphQL endpoint; what refuses one here answers in GraphQL's own form. */
import { Request as LeanRequest } from '@whatwg-node/fetch';
import type { PlainAnswer, PlainOperation } from '../graphql/plain-operation.ts';
import type { GraphQLHandler } from '../graphql/yoga.ts';
import { refusalOf } from '../outage.ts';
import { graphqlCode, refusals } from '../outcomes.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { readBody } from './read-body.ts';

/** Answers any request, as Yoga does. */
export const answerGraphQL = (
  { yoga }: GraphQLHandler,
  request: Request,
  record: RequestRecord,
): Promise<Response> =>
  inItsForm(record, async () => {
    await using disposables = new AsyncDisposableStack();
    const isUpload = request.headers.get('content-type')?.startsWith('multipart/') ?? false;
    const readable = isUpload || request.body === null ? request : await buffered(request);
    return await yoga.fetch(readable, { record, disposables });
  });

/** Answers one operation as JSON: the short way where that is possible. */
export const answerPlainOperation = (
  { yoga, answerPlainOperation: answerShortly }: GraphQLHandler,
  operation: PlainOperation,
  record: RequestRecord,
): Promise<Response | PlainAnswer> =>
  inItsForm(record, async () => {
    const answer = await answerShortly(operation, record);
    if (answer !== null) return answer;
    await using disposables = new AsyncDisposableStack();
    return await yoga.fetch(requestOf(operation), { record, disposables });
  });

async function inItsForm<Answer>(
  { outcomes, requestId }: RequestRecord,
  work: () => Promise<Answer>,
): Promise<Answer | Response> {
  try {
    return await work();
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    const { code, message } = refused;
    outcomes.push(code);
    const extensions = { code: graphqlCode(code), requestId };
    return Response.json({ errors: [{ message, extensions }] }, { status: refusals[code] });
  }
}

async function buffered(request: Request): Promise<Request> {
  const { url, method, headers } = request;
  return new Request(url, { method, headers, body: await readBody(request) });
}

/** With Yoga's own class, which holds a text as it is; the web's would make a stream of it. */
function requestOf({ headers, body }: PlainOperation): Request {
  const lines: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // Of a repeated header Node has joined the values already, but for cookies that are set.
    if (value !== undefined) lines[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return new LeanRequest('http://localhost/graphql', { method: 'POST', headers: lines, body });
}
