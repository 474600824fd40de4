import type { Authenticate } from '../identity/authenticate.ts';
import type { Caller } from '../identity/caller.ts';
import type { RequestRecord } from '../request-record.ts';
import { RequestRefused } from '../request-refused.ts';

/**
 * Who sent a request, by its headers alone: no body is read for nobody. The record knows the caller from here on.
 * @throws RequestRefused `unauthenticated` where it is nobody, and as `authenticate` does
 */
export async function callerOf(
  authenticate: Authenticate,
  { headers }: Request,
  record: RequestRecord,
): Promise<Caller> {
  const caller = await authenticate(headers.get('authorization'), record);
  if (caller === null) {
    throw new RequestRefused(
      'unauthenticated',
      'Send "Authorization: Bearer <API key or session token>"; this one is not valid.',
    );
  }
  record.caller = caller;
  return caller;
}
