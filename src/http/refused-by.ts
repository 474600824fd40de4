import type { Log } from '../log.ts';
import { refusalOf } from '../outage.ts';
import type { RequestRecord } from '../request-record.ts';
import { MASKED, RequestRefused } from '../request-refused.ts';

/** What a caller is told of something that was thrown; the rest goes to the log. */
export function refusedBy(error: unknown, record: RequestRecord, log: Log): RequestRefused {
  const { requestId, outcomes } = record;
  const refused = refusalOf(error) ?? new RequestRefused('internal_error', MASKED);
  if (refused.code === 'internal_error') log.error({ err: error, requestId }, 'request failed');
  else if (refused !== error) log.warn({ err: error, requestId }, 'an outage');
  outcomes.push(refused.code);
  record.retryAfterSeconds ??= refused.retryAfterSeconds;
  return refused;
}
