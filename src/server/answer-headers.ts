import type { RequestRecord } from '../request-record.ts';

/** Where nothing better is known: an outage is over soon, or somebody is working on it. */
const RETRY_AFTER_SECONDS = 2;
const PASSING = new Set([429, 503]);

/** The headers that every answer carries, whichever surface made it. */
export function withAnswerHeaders(response: Response, record: RequestRecord): Response {
  const { headers, status } = response;
  headers.set('x-request-id', record.requestId);
  // Each answer is for its caller alone; only a page that is everybody's says otherwise.
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  headers.set('x-content-type-options', 'nosniff');
  // Also to an origin that is told nothing, so that no cache hands its answer to one that is allowed.
  if (!/\borigin\b/i.test(headers.get('vary') ?? '')) headers.append('vary', 'Origin');
  if (record.retryAfterSeconds !== null) {
    headers.set('retry-after', String(record.retryAfterSeconds));
  } else if (PASSING.has(status) && !headers.has('retry-after')) {
    headers.set('retry-after', String(RETRY_AFTER_SECONDS));
  }
  return response;
}
