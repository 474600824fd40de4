/** Only a caller is answered: refused before a body is read or a query parsed, so that its text decides nothing. */
import { callerOf } from '../http/caller-of.ts';
import type { Foundation } from '../http/foundation.ts';
import { refusedBy } from '../http/refused-by.ts';
import { refusedResponse } from './refused-response.ts';
import type { YogaPlugin } from './server-context.ts';

export function useAuthentication({ authenticate, world }: Foundation): YogaPlugin {
  return {
    async onRequest({ request, serverContext: { record }, endResponse }) {
      try {
        await callerOf(authenticate, request, record);
      } catch (error) {
        // Yoga makes no answer of what is thrown here.
        const refused = refusedBy(error, record, world.log);
        endResponse(refusedResponse(refused, request, record.requestId));
      }
    },
  };
}
