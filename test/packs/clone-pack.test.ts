import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';
import { change, pulls, setStatus } from './changes.ts';

describe.each(deployments)('clonePack on $database with $registry', (deployment) => {
  const start = async () =>
    startGateway({
      database: deployment.database,
      environment: await registryEnvironment(deployment.registry),
    });

  test('a clone pulls after its source was deleted, and is private to its org', async () => {
    const gateway = await start();
    const other = await gateway.org('globex');
    const source = await gateway.pack('triage', { visibility: 'COMMUNITY' });
    const cloned = await change(gateway, 'clonePack', { id: source.id }, other);
    expect(cloned.pack).toMatchObject({
      name: 'triage',
      owned: true,
      visibility: 'ORG',
      imageOrigin: 'CLONE',
      imageDigest: source.imageDigest,
      sizeBytes: source.sizeBytes,
    });
    expect(cloned.pack.imageRef).toMatch(/packs\/globex\/triage:1\.0\.0$/);
    const deleted = await change(gateway, 'deletePack', { id: source.id });
    expect(deleted.image).toBe('PURGED');
    expect(await pulls(gateway, 'packs/globex/triage', '1.0.0')).toBe(true);
    expect(await pulls(gateway, 'packs/default/triage', '1.0.0')).toBe(false);
    const hidden = await change(gateway, 'clonePack', { id: cloned.pack.id });
    expect(hidden.__typename).toBe('NotFound');
  });

  test('refuses a name that is taken or none, and a pack that is being deleted', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    expect((await change(gateway, 'clonePack', { id })).__typename).toBe('NameTaken');
    for (const name of ['', 'Über', '../x', 'a'.repeat(64), 'a.b']) {
      const answer = await change(gateway, 'clonePack', { id, name });
      expect(answer, name).toMatchObject({ fields: [{ path: 'name' }] });
    }
    await setStatus(gateway, id, 'CLEANUP_FAILED');
    const dying = await change(gateway, 'clonePack', { id, name: 'copy' });
    expect(dying.__typename).toBe('PackBeingDeleted');
  });

  test('of many clones with one name exactly one is made', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => change(gateway, 'clonePack', { id, name: 'copy' })),
    );
    const types = answers.map(({ __typename }) => __typename).sort();
    expect(types).toEqual(['ClonedPack', 'NameTaken', 'NameTaken', 'NameTaken']);
  });
});
