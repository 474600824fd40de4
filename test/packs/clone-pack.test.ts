import { describe, expect, test } from 'vitest';
import type { Digest, Repository } from '../../src/registry/registry.ts';
import { insertUnmanagedPack } from '../support/deletion.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';
import { change, packImage, pulls, pushImage, setStatus } from './changes.ts';

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

describe('a pack of an image in another registry', () => {
  /** As its row was written while that registry was allowed. */
  const packAt = (gateway: Gateway, host: string, digest: string) =>
    insertUnmanagedPack(gateway, {
      name: 'triage',
      image: {
        repository: `${host}/team/triage` as Repository,
        image_digest: digest as Digest,
      },
    });

  test('is not cloned once that registry is not allowed any more', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const id = await packAt(gateway, 'registry.invalid:5000', `sha256:${'0'.repeat(64)}`);
    const answer = await change(gateway, 'clonePack', { id, name: 'copy' });
    expect(answer).toMatchObject({ __typename: 'ValidationFailed', fields: [{ path: 'id' }] });
    expect(answer.message).toContain('REGISTRY_ALLOWED_HOSTS');
  });

  test.skipIf(!installed('docker-registry'))(
    'is cloned where that registry has become the configured one',
    async () => {
      const environment = await registryEnvironment('docker-registry');
      const gateway = await startGateway({ database: 'postgres', environment });
      const digest = await pushImage(gateway, 'team/triage', 'v1', packImage({ name: 'triage' }));
      const id = await packAt(gateway, new URL(environment.REGISTRY_URL ?? '').host, digest);
      const answer = await change(gateway, 'clonePack', { id, name: 'copy' });
      expect(answer.__typename, answer.message).toBe('ClonedPack');
      expect(await pulls(gateway, 'packs/default/copy', digest)).toBe(true);
    },
  );
});
