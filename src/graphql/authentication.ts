/** Only a caller is answered: refused before a body is read or a query parsed, so that its text decides nothing. */
import { callerOf } from '../http/caller-of.ts';
import type { Foundation } from '../http/foundation.ts';
import { refusedBy } from '../http/refused-by.ts';
import type { RequestRecord } from '../request-record.ts';
import { errorResponse } from './error-response.ts';
import type { YogaPlugin } from './server-context.ts';

export function useAuthentication(foundation: Foundation): YogaPlugin {
  return {
    async onRequest({ request, serverContext: { record }, endResponse }) {
      const refused = await refusedCaller(foundation, request, record);
      if (refused !== null) endResponse(refused);
    },
  };
}

/** Finds out who sent a request, unless that is known; answers with the refusal of one who may not ask. */
export async function refusedCaller(
  { authenticate, world }: Foundation,
  request: Request,
  record: RequestRecord,
): Promise<Response | null> {
  if (record.caller !== null) return null;
  try {
    await callerOf(authenticate, request, record);
    return null;
  } catch (error) {
    // Yoga makes no answer of what is thrown here.
    return errorResponse(refusedBy(error, record, world.log), request, record.requestId);
  }
}
