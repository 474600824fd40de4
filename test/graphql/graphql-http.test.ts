import { serverAudits } from 'graphql-http';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test('all audits of the GraphQL-over-HTTP specification pass on the real listener', async () => {
  const origin = await listening(await startGateway());
  const withKey: typeof fetch = (input, init) =>
    fetch(input, {
      ...init,
      headers: { ...init?.headers, authorization: `Bearer ${OWNER_KEY}` },
    });
  const audits = serverAudits({ url: `${origin}/graphql`, fetchFn: withKey });
  expect(audits).toHaveLength(61);
  const failed: string[] = [];
  for (const { id, name, fn } of audits) {
    const result = await fn();
    if (result.status !== 'ok') failed.push(`${id} ${name}: ${result.reason}`);
  }
  expect(failed).toEqual([]);
});
