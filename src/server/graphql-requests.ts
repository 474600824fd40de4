/** Requests for the GraphQL endpoint; what refuses one here answers in GraphQL's own form. */
import { Request as LeanRequest } from '@whatwg-node/fetch';
import type { PlainAnswer, PlainOperation } from '../graphql/plain-answer.ts';
import { refusedResponse } from '../graphql/refused-response.ts';
import type { GraphQLHandler } from '../graphql/yoga.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { readBody } from '../http/read-body.ts';
import { refusedBy } from '../http/refused-by.ts';
import type { Log } from '../log.ts';
import type { RequestRecord } from '../request-record.ts';

/** Answers as Yoga does; nothing is thrown. */
export interface GraphQLRequests {
  answer(request: Request, record: RequestRecord): Promise<Response>;
  /** One operation as JSON: the short way where that is possible. */
  answerPlain(operation: PlainOperation, record: RequestRecord): Promise<Response | PlainAnswer>;
}

export function createGraphQLRequests(
  { yoga, answerPlainOperation, corsHeaders }: GraphQLHandler,
  log: Log,
): GraphQLRequests {
  const failed = (error: unknown, request: Request, record: RequestRecord): Response => {
    const response = refusedResponse(refusedBy(error, record, log), record.requestId);
    for (const [name, value] of Object.entries(corsHeaders(request))) {
      response.headers.set(name, value);
    }
    return response;
  };
  return {
    async answer(request, record) {
      await using disposables = new AsyncDisposableStack();
      try {
        return await yoga.fetch(await readable(request), { record, disposables });
      } catch (error) {
        return failed(error, request, record);
      }
    },
    async answerPlain(operation, record) {
      try {
        const answer = await answerPlainOperation(operation, record);
        if (answer !== null) return answer;
        await using disposables = new AsyncDisposableStack();
        return await yoga.fetch(requestOf(operation), { record, disposables });
      } catch (error) {
        return failed(error, requestOf(operation), record);
      }
    },
  };
}

/**
 * The request as Yoga reads it: its body is bounded, and its media type in the only letter case that Yoga knows. It
 * has no signal: a client that hangs up ends neither the work nor, before that, the files that the work reads.
 */
async function readable(request: Request): Promise<Request> {
  const { url, method, headers: sent, body } = request;
  if (body === null) return new Request(url, { method, headers: sent });
  const headers = new Headers(sent);
  const mediaType = mediaTypeOf(sent.get('content-type'));
  if (mediaType === 'multipart/form-data') {
    // Which the Fetch standard demands of a stream, and the types do not know yet.
    const streamed: RequestInit & { duplex: 'half' } = { method, headers, body, duplex: 'half' };
    return new Request(url, streamed);
  }
  headers.set('content-type', mediaType);
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
