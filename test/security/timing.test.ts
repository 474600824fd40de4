import { expect, test } from 'vitest';
import { databaseKinds, type Gateway, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

/** Everything of an answer that a caller can see, but the id that each request has of its own. */
async function seen(gateway: Gateway, surface: 'graphql' | 'rest', token: string) {
  gateway.statements.length = 0;
  const response = await gateway.app.fetch(
    surface === 'rest'
      ? new Request('http://gateway/v1/packs', { headers: { authorization: `Bearer ${token}` } })
      : new Request('http://gateway/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ query: '{ viewer { org { slug } } }' }),
        }),
  );
  const id = response.headers.get('x-request-id') ?? '';
  const text = await response.text();
  const headers = [...response.headers].filter(([name]) => name !== 'x-request-id');
  return {
    status: response.status,
    headers,
    body: text.replaceAll(id, '<id>'),
    statements: gateway.statements.map((sql) => sql.replace(/\s+/g, ' ')),
  };
}

test.each(databaseKinds)(
  'on %s a key that was revoked, one that never was and what is none are told apart by nothing',
  async (database) => {
    const gateway = await startGateway({ database });
    const created = await gateway.graphql(
      `mutation { createApiKey(label: "gone", permissionSet: FULL_ACCESS) {
         ... on CreatedApiKey { secret key { id } } } }`,
    );
    const { secret, key } = created.data.createApiKey;
    await gateway.graphql(`mutation { revokeApiKey(id: "${key.id}") { __typename } }`);
    // The owner's, one letter changed at either end or cut short: guessing does not get warmer.
    const near = [
      `${OWNER_KEY.slice(0, -1)}~`,
      `sk_~${OWNER_KEY.slice(4)}`,
      OWNER_KEY.slice(0, -1),
    ];
    const unknown = [`sk_${'x'.repeat(40)}`, ...near, `${OWNER_KEY}0`, OWNER_KEY.toUpperCase()];
    const malformed = ['sk_', 'x', '~', `sk_${'y'.repeat(4_000)}`, 'a.b.c', "'--", '%00', key.id];
    for (const surface of ['graphql', 'rest'] as const) {
      const revoked = await seen(gateway, surface, secret);
      expect(revoked.status).toBe(401);
      expect(revoked.statements).toHaveLength(1);
      for (const token of [...unknown, ...malformed]) {
        expect(await seen(gateway, surface, token), token.slice(0, 60)).toEqual(revoked);
      }
    }
  },
);
