import type { Log } from '../log.ts';
import { refusalOf } from '../outage.ts';
import type { RequestRecord } from '../request-record.ts';
import { RequestRefused } from '../request-refused.ts';

/** What a caller is told of something that was thrown; what he must not see of it goes to the log. */
export function refusedBy(
  error: unknown,
  { requestId, outcomes }: RequestRecord,
  log: Log,
): RequestRefused {
  const refused = refusalOf(error) ?? new RequestRefused('internal_error', MASKED);
  if (refused.code === 'internal_error') log.error({ err: error, requestId }, 'request failed');
  else if (refused !== error) log.warn({ err: error, requestId }, 'an outage');
  outcomes.push(refused.code);
  return refused;
}

const MASKED = 'Something went wrong here; quote the request id.';
