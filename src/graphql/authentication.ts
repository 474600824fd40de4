/** Nobody is answered but a caller: refused before the query is even parsed, so that its text decides nothing. */
import type { Authenticate } from '../identity/authenticate.ts';
import { graphqlCode } from '../outcomes.ts';
import type { RequestRecord } from '../request-record.ts';
import type { PlainAnswer } from './plain-answer.ts';
import type { YogaPlugin } from './server-context.ts';

export function useAuthentication(authenticate: Authenticate): YogaPlugin {
  return {
    async onRequest({ request, serverContext, endResponse, fetchAPI }) {
      if (request.method === 'OPTIONS') return;
      const { record } = serverContext;
      // The short way (plain-operation.ts) knows the caller already.
      if (record.caller !== null) return;
      const authorization = request.headers.get('authorization');
      record.caller = await authenticate(authorization, record);
      if (record.caller !== null) return;
      const { status, headers, body } = unauthenticated(record);
      endResponse(new fetchAPI.Response(body, { status, headers }));
    },
  };
}

/** The answer to nobody. */
export function unauthenticated({ outcomes, requestId }: RequestRecord): PlainAnswer {
  outcomes.push('unauthenticated');
  const error = {
    message: 'Send "Authorization: Bearer <API key or session token>"; this one is not valid.',
    extensions: { code: graphqlCode('unauthenticated'), requestId },
  };
  return {
    status: 401,
    headers: { 'content-type': 'application/json', 'www-authenticate': 'Bearer' },
    body: JSON.stringify({ errors: [error] }),
  };
}
