/** Answers that are streams: those of subscriptions, and of requests that ask for server-sent events. */
import type { ExecutionResult } from 'graphql';
import { parseAccept } from 'hono/utils/accept';
import { graphqlCode } from '../../outcomes.ts';
import { refusals } from '../../request-refused.ts';
import { answerType } from '../answer-type.ts';
import type { YogaPlugin } from '../server-context.ts';
import type { Framing } from './framing.ts';
import { multipartSubscription } from './multipart-subscription.ts';
import { serverSentEvents } from './server-sent-events.ts';
import { streamedBody } from './streamed-body.ts';

/** Comes after the plugin that makes errors public. */
export function useStreams(): YogaPlugin {
  return {
    onResultProcess({ request, result, setResultProcessor, serverContext: { record } }) {
      if (Array.isArray(result)) return;
      const isStream = Symbol.asyncIterator in result;
      const framing = isStream || answerType(request) === null ? framingFor(request) : null;
      if (framing === null) return;
      const results = isStream ? result[Symbol.asyncIterator]() : only(result);
      const takeEventId = () => {
        const { eventId } = record;
        record.eventId = null;
        return eventId;
      };
      setResultProcessor(
        () =>
          new Response(streamedBody(results, framing, takeEventId), {
            status: isStream ? 200 : statusOf(result),
            headers: headersOf(framing),
          }),
        framing.contentType,
      );
    },
  };
}

/**
 * What is refused is told in the stream, where its clients look; they throw away the body of any other status. Only an
 * operation beyond the limits is 400 for everybody (`spec: false` in errors.ts).
 */
const statusOf = ({ errors = [] }: ExecutionResult): number =>
  errors.some(({ extensions }) => extensions.code === graphqlCode('graphql_limit_exceeded'))
    ? refusals.graphql_limit_exceeded
    : 200;

/** The form of stream that a request asks for first; null: it takes none. */
export function framingFor({ headers }: Request): Framing | null {
  for (const { type, q, params } of ranges(headers)) {
    if (q === 0) continue;
    if (type === 'multipart/mixed' && params.subscriptionspec === '1.0') {
      return multipartSubscription;
    }
    if (['text/event-stream', 'text/*', '*/*'].includes(type) && isUtf8(params)) {
      return serverSentEvents;
    }
  }
  return null;
}

const ranges = (headers: Headers) => parseAccept((headers.get('accept') || '*/*').toLowerCase());

const isUtf8 = ({ charset = 'utf-8' }: Readonly<Record<string, string>>): boolean =>
  charset === 'utf-8' || charset === 'utf8';

/** Nobody in between may keep, hold back or rewrite what is meant to arrive piece by piece. */
const headersOf = ({ contentType }: Framing) => ({
  'content-type': contentType,
  'cache-control': 'no-store',
  // nginx, and proxies that follow it.
  'x-accel-buffering': 'no',
});

async function* only(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}
