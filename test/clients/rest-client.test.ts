import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { deletePack } from '../../examples/rest-client/delete-pack.ts';
import { openApi } from '../../src/rest/rest.ts';
import { listen } from '../../src/server/server.ts';
import { startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test('the document that the client was generated from is the one that is served', () => {
  const file = new URL('../../examples/rest-client/openapi.json', import.meta.url);
  expect(JSON.parse(readFileSync(file, 'utf8')), 'run `npm run openapi`').toEqual(
    JSON.parse(JSON.stringify(openApi)),
  );
});

test('a generated client is told what holds a pack, and then that it is deleted', async () => {
  const gateway = await startGateway();
  const server = await listen(gateway.app, 0, '127.0.0.1');
  onTestFinished(() => server.close());
  const url = `http://127.0.0.1:${server.port}`;
  const { id } = await gateway.pack('triage');
  const { body: role } = await gateway.rest('POST', '/v1/agent-roles', {
    json: { name: 'on-call', pack_ids: [id] },
  });
  expect(await deletePack(url, OWNER_KEY, id)).toBe('still used by 1 roles: on-call');
  await gateway.rest('PATCH', `/v1/agent-roles/${role.id}`, { json: { pack_ids: [] } });
  expect(await deletePack(url, OWNER_KEY, id)).toBe('deleted');
  expect(await deletePack(url, OWNER_KEY, id)).toContain('Your org has no pack');
});
