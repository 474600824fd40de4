import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { deletePack } from '../../examples/rest-client/delete-pack.ts';
import {
  connect,
  detachEverywhere,
  editFile,
  listFiles,
  shipVersion,
} from '../../examples/rest-client/edit-pack.ts';
import { openApi } from '../../src/rest/rest.ts';
import { samplePack } from '../support/archives.ts';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test('the document that the client was generated from is the one that is served', () => {
  const file = new URL('../../examples/rest-client/openapi.json', import.meta.url);
  expect(JSON.parse(readFileSync(file, 'utf8')), 'run `npm run openapi`').toEqual(
    JSON.parse(JSON.stringify(openApi())),
  );
});

test('a generated client is told what holds a pack, and then that it is deleted', async () => {
  const gateway = await startGateway();
  const url = await listening(gateway);
  const { id } = await gateway.pack('triage');
  const { body: role } = await gateway.rest('POST', '/v1/agent-roles', {
    json: { name: 'on-call', pack_ids: [id] },
  });
  expect(await deletePack(url, OWNER_KEY, id)).toBe('still used by 1 roles: on-call');
  await gateway.rest('PATCH', `/v1/agent-roles/${role.id}`, { json: { pack_ids: [] } });
  expect(await deletePack(url, OWNER_KEY, id)).toBe('deleted');
  expect(await deletePack(url, OWNER_KEY, id)).toContain('Your org has no pack');
});

test('a generated client reads and edits files, ships the next version and detaches', async () => {
  const gateway = await startGateway();
  const client = connect(await listening(gateway), OWNER_KEY);
  const { id } = await gateway.pack('triage');
  await gateway.rest('POST', '/v1/agent-roles', { json: { name: 'on-call', pack_ids: [id] } });
  expect(await listFiles(client, id)).toEqual([
    'behavior.md',
    'guides/start.md',
    'pack.yaml',
    'scripts/run.sh',
  ]);

  const file = { id, path: 'guides/start.md' };
  const seen: string[] = [];
  // Two who change the same file: the one who comes too late reads it once more.
  await editFile(client, file, (text) => {
    seen.push(text);
    return `${text}mine\n`;
  });
  await Promise.all(['a', 'b'].map((name) => editFile(client, file, (text) => `${text}${name}\n`)));
  const read = await gateway.rest('GET', `/v1/packs/${id}/files/${file.path}`);
  const [first, second, ...others] = read.body.trim().split('\n');
  expect([seen, first, second, others.sort()]).toEqual([
    ['# Start\n'],
    '# Start',
    'mine',
    ['a', 'b'],
  ]);

  const archive = samplePack({ name: 'triage', version: '2.0.0' });
  expect(await shipVersion(client, id, new Blob([new Uint8Array(archive)]))).toBe('2.0.0');
  await expect(
    shipVersion(client, id, new Blob([new Uint8Array(samplePack({ name: 'other' }))])),
  ).rejects.toThrow(/pack\.yaml\.name: must stay "triage"/);
  expect(await detachEverywhere(client, id)).toBe(1);
});
