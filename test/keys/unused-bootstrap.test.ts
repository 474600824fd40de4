import { expect, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';

const warned = ({ logs }: { readonly logs: readonly { readonly [name: string]: unknown }[] }) =>
  logs.filter(({ level }) => level === 'warn').map(({ msg }) => msg);

test('a start says which values for a first org are not used, because there is one', async () => {
  const environment = { DATABASE_URL: await createDatabase('template1'), BOOTSTRAP_ORG: 'acme' };
  const first = await startGateway({ environment });
  expect(warned(first)).toEqual([]);
  const same = await startGateway({ environment });
  expect(warned(same)).toEqual([]);
  const others = { BOOTSTRAP_ORG: 'other', BOOTSTRAP_API_KEY: `sk_${'another'.repeat(6)}` };
  const other = await startGateway({ environment: { ...environment, ...others } });
  expect(warned(other)).toEqual([
    expect.stringMatching(/^BOOTSTRAP_ORG is not used/),
    expect.stringMatching(/^BOOTSTRAP_API_KEY is not used.*rotate-owner-key/),
  ]);
  expect(JSON.stringify(other.logs)).not.toContain(others.BOOTSTRAP_API_KEY);
});
