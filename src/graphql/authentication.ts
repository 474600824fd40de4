/** Nobody is answered but a caller: refused before the query is even parsed, so that its text decides nothing. */
import { authenticate } from '../identity/authenticate.ts';
import { graphqlCode } from '../outcomes.ts';
import type { Services } from '../services.ts';
import type { YogaPlugin } from './server-context.ts';

export function useAuthentication(services: Services): YogaPlugin {
  return {
    async onRequest({ request, serverContext, endResponse, fetchAPI }) {
      if (request.method === 'OPTIONS') return;
      const { record } = serverContext;
      const authorization = request.headers.get('authorization');
      record.caller = await authenticate(services, authorization, record.requestId);
      if (record.caller !== null) return;
      record.outcomes.push('unauthenticated');
      const error = {
        message: 'Send "Authorization: Bearer <API key or session token>"; this one is not valid.',
        extensions: { code: graphqlCode('unauthenticated'), requestId: record.requestId },
      };
      endResponse(
        fetchAPI.Response.json(
          { errors: [error] },
          { status: 401, headers: { 'www-authenticate': 'Bearer' } },
        ),
      );
    },
  };
}
