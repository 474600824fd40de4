import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { importPlatformPack } from '../../src/packs/import-platform-pack.ts';
import { samplePack } from '../support/archives.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { joined } from '../support/joined.ts';
import { listImages } from '../support/list-images.ts';
import { refusePacks } from '../support/refused-packs.ts';
import { change, pulls } from './changes.ts';

function archive(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'platform-pack-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'pack.tar.gz');
  writeFileSync(path, samplePack({ name }));
  return path;
}

describe.each(databaseKinds)('packs of the platform on %s', (database) => {
  test('every org reads, attaches and clones them, and none changes them', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('globex');
    const input = { archive: archive('triage'), tier: 'VERIFIED' } as const;
    const imported = await importPlatformPack(gateway.app.world, input);
    if (imported.kind !== 'imported') throw new Error(JSON.stringify(imported));
    const { id } = imported;
    for (const key of [undefined, other]) {
      const query = '{ packs { nodes { id orgId owned tier visibility } } }';
      const { data } = await gateway.graphql(query, {}, key);
      expect(data.packs.nodes).toEqual([
        { id, orgId: null, owned: false, tier: 'VERIFIED', visibility: 'COMMUNITY' },
      ]);
      const created = await change(
        gateway,
        'createAgentRole',
        { input: { name: 'agent', packIds: [id] } },
        key,
      );
      expect(created.__typename).toBe('CreatedAgentRole');
      for (const [name, variables] of [
        ['deletePack', { id }],
        ['updatePackVisibility', { id, visibility: 'ORG' }],
        ['replacePackImage', { id, imageRef: 'packs/platform.packs/triage:1.0.0' }],
      ] as const) {
        const answer = await change(gateway, name, variables, key);
        expect(answer.__typename, name).toBe('NotFound');
      }
    }
    const cloned = await change(gateway, 'clonePack', { id }, other);
    expect(cloned.pack).toMatchObject({ owned: true, tier: 'COMMUNITY', imageOrigin: 'CLONE' });
    expect(await pulls(gateway, 'packs/globex/triage', '1.0.0')).toBe(true);
    const again = await importPlatformPack(gateway.app.world, input);
    expect(again.kind).toBe('name_taken');
  });
});

test.each([
  ['unique_violation', 'name_taken'],
  ['check_violation', 'an error'],
])('an import whose row the database refuses with %s takes its image back', async (code, ends) => {
  const gateway = await startGateway({ database: 'postgres' });
  const { registry, database } = gateway.app.world;
  const accept = await refusePacks(gateway.environment.DATABASE_URL ?? '', code);
  const input = { archive: archive('triage'), tier: 'VERIFIED' } as const;
  const ended = await importPlatformPack(gateway.app.world, input).catch(() => ({
    kind: 'an error',
  }));
  expect(ended.kind).toBe(ends);
  expect(await listImages(registry, 'packs')).toMatchObject({ kind: 'listed', images: [] });
  expect(await database.query('select * from repository_leases', [])).toEqual([]);
  await accept();
  expect(await importPlatformPack(gateway.app.world, input)).toMatchObject({ kind: 'imported' });
});

test('the command imports a pack and says which, and why where it cannot', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const program = await joined('src/commands/platform-pack.ts');
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [program, ...args], {
      env: { ...process.env, ...gateway.environment },
    });
  const path = archive('triage');
  const { stdout } = await run(path, '--tier', 'RECOMMENDED');
  expect(JSON.parse(stdout)).toMatchObject({ name: 'triage', tier: 'RECOMMENDED' });
  await expect(run(path)).rejects.toMatchObject({ stderr: expect.stringContaining('"triage"') });
  await expect(run()).rejects.toMatchObject({ stderr: expect.stringContaining('usage') });
});
