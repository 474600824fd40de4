/** A copy of database and registry, as a restore leaves it: good to go on from, or not. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../process/run.ts';
import { repository } from '../registry/distribution/images.ts';
import { startGateway } from '../support/gateway.ts';
import { registryEnvironment, registryKinds } from '../support/registries.ts';

const DRILL = 'src/commands/restore-drill.ts';

describe.each(registryKinds)('npm run restore-drill on %s', (kind) => {
  test('says that all is there, and afterwards what is not', async () => {
    const environment = await registryEnvironment(kind);
    const gateway = await startGateway({ database: 'postgres', environment });
    const whole = await gateway.pack('whole');
    await gateway.pack('gone');
    const good = await run(DRILL, gateway.environment);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/^DATABASE {2}reaches to 2.*1 keys are good/);
    expect(good.stdout).toMatch(/REGISTRY {2}2 of 2 packs were pulled whole\nGOOD\n$/);

    const { registry } = gateway.app.world;
    const { data } = await gateway.graphql('{ packByName(name: "gone") { id imageDigest } }');
    const { id, imageDigest } = data.packByName;
    await registry.purge(repository('packs/default/gone'), imageDigest);
    const bad = await run(DRILL, gateway.environment);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain(`image_gone  default  ${id}`);
    expect(bad.stdout).toMatch(/-> replacePackArchive with the archive of gone 1.0.0/);
    expect(bad.stdout).toContain(`BROKEN  ${id}  gone  its manifest is not there`);
    expect(bad.stdout).not.toContain(whole.id);
  });
});

test('npm run restore-drill finds a manifest that came back without its content', async () => {
  const gateway = await startGateway({ database: 'embedded' });
  const pack = await gateway.pack('hollow');
  const { registry } = gateway.app.world;
  const read = await registry.readManifest(repository('packs/default/hollow'), pack.imageDigest);
  if (read.kind !== 'found') throw new Error(read.kind);
  const [layer] = JSON.parse(Buffer.from(read.manifest).toString()).layers;
  await gateway.close();
  rmSync(join(gateway.dataDirectory, 'registry/blobs/sha256', layer.digest.slice(7)));
  const drilled = await run(DRILL, gateway.environment);
  expect(drilled.code).toBe(1);
  expect(drilled.stdout).toMatch(/BROKEN {2}pack_\S+ {2}hollow /);
});

test.each(['', '-1', '1.5', 'all'])(
  'npm run restore-drill takes no sample of "%s"',
  async (sample) => {
    const drilled = await run(DRILL, {}, [], [`--sample=${sample}`]);
    expect(drilled).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^--sample: /),
    });
  },
);

test('npm run restore-drill says why it could not be tried', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const dead = { ...gateway.environment, REGISTRY_URL: 'http://127.0.0.1:9' };
  const drilled = await run(DRILL, dead);
  expect(drilled.code).toBe(2);
  expect(drilled.stderr).toMatch(/^REGISTRY_URL: /);
});
