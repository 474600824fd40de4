import type { ExecutionResult } from 'graphql';
import type { Framing } from './framing.ts';

/** Shorter than the silence that proxies tolerate: 60 seconds with nginx and most balancers. */
const HEARTBEAT_MS = 10_000;

/**
 * Results as the body of a response: one is asked for when the reader has taken the one before. A reader who leaves
 * ends them, even before reading anything.
 * @param eventId the audit event of the result that came last
 */
export function streamedBody(
  results: AsyncIterator<ExecutionResult>,
  framing: Framing,
  eventId: () => string | null,
  heartbeatMs = HEARTBEAT_MS,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let heartbeats: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(framing.opening));
      heartbeats = setInterval(() => {
        // A reader who is behind needs none.
        if ((controller.desiredSize ?? 0) > 0) {
          controller.enqueue(encoder.encode(framing.heartbeat));
        }
      }, heartbeatMs).unref();
    },
    async pull(controller) {
      try {
        const { done, value } = await results.next();
        if (done !== true) {
          controller.enqueue(encoder.encode(framing.frame(value, eventId())));
          return;
        }
        clearInterval(heartbeats);
        controller.enqueue(encoder.encode(framing.closing));
        controller.close();
      } catch (error) {
        clearInterval(heartbeats);
        controller.error(error);
      }
    },
    async cancel() {
      clearInterval(heartbeats);
      await results.return?.();
    },
  });
}
