/** An answer that is one JSON text, in the media type that was asked for. */

import { Response } from '@whatwg-node/fetch';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { type AnswerType, answerType } from './answer-type.ts';
import { resultShown } from './result-shown.ts';
import type { YogaPlugin } from './server-context.ts';

/** Comes after the plugin that makes errors public. */
export function useAnswers(): YogaPlugin {
  return {
    onResultProcess({ request, result, setResultProcessor }) {
      if (Array.isArray(result) || Symbol.asyncIterator in result) return;
      const type = answerType(request);
      if (type === null) return;
      setResultProcessor(() => answerOf(result, type), type);
    },
  };
}

export function answerOf(result: ExecutionResult, type: AnswerType): Response {
  const { errors = [] } = result;
  const { status, headers } = httpOf(errors, type);
  const text = JSON.stringify(resultShown(result));
  return new Response(text, {
    status,
    headers: {
      ...headers,
      'content-type': `${type}; charset=utf-8`,
      // Or it is sent in chunks, which cost more than some operations.
      'content-length': String(Buffer.byteLength(text)),
    },
  });
}

/** What an error asks of HTTP, in its `extensions.http` (Yoga's form). */
interface Http {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** A malformed query: answered with 200 where a client asks for plain JSON (GraphQL over HTTP, section 6.4.1). */
  readonly spec?: boolean;
}

/** The highest status that an error asks for. */
function httpOf(errors: readonly GraphQLError[], type: AnswerType) {
  let status = 0;
  const headers: Record<string, string> = {};
  for (const { extensions } of errors) {
    // `publicError` puts it there in this form.
    const http = (extensions.http ?? {}) as Http;
    Object.assign(headers, http.headers);
    if (type === 'application/json' && http.spec === true) continue;
    status = Math.max(status, http.status ?? 0);
  }
  return { status: status || 200, headers };
}
