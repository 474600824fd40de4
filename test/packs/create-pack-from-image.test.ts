import { describe, expect, onTestFinished, test } from 'vitest';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import type { Repository, Tag } from '../../src/registry/registry.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startGateway } from '../support/gateway.ts';
import { startHostileRegistry } from '../support/hostile-registry.ts';
import { installed } from '../support/installed.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';
import { sampleImage, sampleIndex } from '../support/sample-image.ts';
import { change, events, packImage, pulls, pushImage, setStatus } from './changes.ts';

describe.each(deployments)('createPackFromImage on $database with $registry', (deployment) => {
  const start = async () =>
    startGateway({
      database: deployment.database,
      environment: await registryEnvironment(deployment.registry),
    });

  test('makes a pack of an image by tag and by digest, which deletion leaves alone', async () => {
    const gateway = await start();
    const digest = await pushImage(gateway, 'team/triage', 'v1', packImage({ name: 'triage' }));
    const created = await change(gateway, 'createPackFromImage', { imageRef: 'team/triage:v1' });
    expect(created).toMatchObject({
      __typename: 'CreatedPack',
      pack: { name: 'triage', imageOrigin: 'IMAGE_REF', imageDigest: digest, status: 'ACTIVE' },
    });
    expect(created.pack.imageRef).toMatch(/(^|\/)team\/triage:v1$/);
    const image = packImage({ name: 'triage' });
    const sizes = [image, ...image.blobs].map(({ descriptor }) => descriptor.size);
    expect(created.pack.sizeBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    const deleted = await change(gateway, 'deletePack', { id: created.pack.id });
    expect(deleted).toMatchObject({ __typename: 'DeletedPack', image: 'NOT_MANAGED' });
    expect(await pulls(gateway, 'team/triage', 'v1')).toBe(true);

    const byDigest = await change(gateway, 'createPackFromImage', {
      imageRef: `team/triage@${digest}`,
      visibility: 'COMMUNITY',
    });
    expect(byDigest.pack).toMatchObject({ visibility: 'COMMUNITY', imageDigest: digest });
    const types = (await events(gateway)).map(({ type }) => type);
    expect(types).toEqual(['PACK_CREATED', 'PACK_DELETED', 'PACK_CREATED']);
  });

  test('says what is wrong with a reference or an image, and makes nothing', async () => {
    const gateway = await start();
    await pushImage(gateway, 'team/bare', 'v1', sampleImage('bare', { layers: [] }));
    await pushImage(gateway, 'team/plain', 'v1', packImage({ name: 'NOT A NAME' }));
    const refs = ['', 'x', 'team/none:v1', 'team/bare:v1', 'team/UPPER:v1', 'team/triage:', 'a@b'];
    for (const imageRef of [...refs, `team/triage@sha256:${'0'.repeat(64)}`, 'x'.repeat(1_000)]) {
      const answer = await change(gateway, 'createPackFromImage', { imageRef });
      expect(answer, imageRef).toMatchObject({
        __typename: 'ValidationFailed',
        fields: [{ path: 'imageRef' }],
      });
    }
    const invalid = await change(gateway, 'createPackFromImage', { imageRef: 'team/plain:v1' });
    expect(invalid).toMatchObject({ fields: [{ path: 'pack.yaml.name' }] });
    expect(await events(gateway)).toEqual([]);
  });

  test("another org's uploads are as if they were not there", async () => {
    const gateway = await start();
    const other = await gateway.org('globex');
    const { imageDigest } = await gateway.pack('secret', { key: other });
    const { id } = await gateway.pack('own');
    await change(gateway, 'deletePack', { id });
    const place = 'packs/globex/secret';
    const missing = await change(gateway, 'createPackFromImage', { imageRef: `${place}:none` });
    for (const imageRef of [`${place}:1.0.0`, `${place}@${imageDigest}`]) {
      expect(await change(gateway, 'createPackFromImage', { imageRef })).toEqual(missing);
    }
    expect(missing.__typename).toBe('ValidationFailed');
  });

  test('an upload that such a pack points at is kept', async () => {
    const gateway = await start();
    const upload = await gateway.pack('triage');
    const imageRef = `packs/default/triage@${upload.imageDigest}`;
    const taken = await change(gateway, 'createPackFromImage', { imageRef });
    expect(taken.__typename).toBe('NameTaken');
    expect(taken.message).toContain('replacePackImage');
    await change(gateway, 'clonePack', { id: upload.id, name: 'copy' });
    await setStatus(gateway, upload.id, 'DELETING');
    const dying = await change(gateway, 'createPackFromImage', { imageRef });
    expect(dying.__typename).toBe('PackBeingDeleted');
  });
});

describe('createPackFromImage and other registries', () => {
  test('no request leaves for a host that is not allowed', async () => {
    const other = await startHostileRegistry(() => ({ status: 500 }));
    onTestFinished(() => other.stop());
    const gateway = await startGateway();
    const imageRef = `${other.url.host}/team/triage:v1`;
    const answer = await change(gateway, 'createPackFromImage', { imageRef });
    expect(answer).toMatchObject({
      __typename: 'ValidationFailed',
      fields: [{ path: 'imageRef' }],
    });
    expect(answer.message).toContain('REGISTRY_ALLOWED_HOSTS');
    expect(other.seen).toEqual([]);
  });

  test('an image whose sizes add up to more than a number holds is refused', async () => {
    const { manifest, descriptor } = packImage({ name: 'triage' });
    const content = JSON.parse(Buffer.from(manifest).toString());
    content.layers.unshift({ ...content.layers[0], size: Number.MAX_SAFE_INTEGER });
    const other = await startHostileRegistry(() => ({
      status: 200,
      body: JSON.stringify(content),
      headers: { 'content-type': descriptor.mediaType },
    }));
    onTestFinished(() => other.stop());
    const gateway = await startGateway({
      environment: { REGISTRY_ALLOWED_HOSTS: other.url.host },
    });
    const imageRef = `${other.url.host}/team/triage:v1`;
    const answer = await change(gateway, 'createPackFromImage', { imageRef });
    expect(answer).toMatchObject({
      __typename: 'ValidationFailed',
      fields: [{ path: 'imageRef' }],
    });
    expect(answer.message).toContain('size');
  });

  test('an allowed host that redirects a blob elsewhere is not followed there, and sees no credentials', async () => {
    const image = packImage({ name: 'triage' });
    const inner = await startHostileRegistry(() => ({ status: 200, body: 'secret' }));
    const other = await startHostileRegistry(({ path }) =>
      path.includes('/manifests/')
        ? { status: 200, body: image.manifest, headers: { 'content-type': 'application/json' } }
        : { status: 307, headers: { location: `${inner.url.href}elsewhere` } },
    );
    onTestFinished(() => Promise.all([inner.stop(), other.stop()]).then(() => undefined));
    const gateway = await startGateway({
      environment: {
        REGISTRY_ALLOWED_HOSTS: other.url.host,
        REGISTRY_USERNAME: 'user',
        REGISTRY_PASSWORD: 'password',
        REGISTRY_DEADLINE_MS: '500',
      },
    });
    const imageRef = `${other.url.host}/team/triage:v1`;
    const answer = await change(gateway, 'createPackFromImage', { imageRef });
    expect(answer.__typename).toBe('RegistryUnavailable');
    expect(inner.seen).toEqual([]);
    expect(other.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test.skipIf(!installed('docker-registry'))(
    'an allowed host is read, an index for its first platform, and a clone brings the image home',
    async () => {
      const docker = await startDockerRegistry();
      const registry = createDistributionRegistry({ url: docker.url, deadlineMs: 5_000 });
      onTestFinished(async () => {
        await registry.close();
        await docker.stop();
      });
      const image = packImage({ name: 'triage' });
      const repository = 'team/triage' as Repository;
      await registry.push(repository, 'v1' as Tag, image);
      const index = sampleIndex('triage', [image]);
      await registry.push(repository, 'all' as Tag, { ...index, blobs: [] });
      const gateway = await startGateway({
        environment: { REGISTRY_ALLOWED_HOSTS: docker.url.host },
      });
      const imageRef = `${docker.url.host}/team/triage:all`;
      const created = await change(gateway, 'createPackFromImage', { imageRef });
      expect(created.pack).toMatchObject({ imageRef, imageDigest: index.descriptor.digest });
      const cloned = await change(gateway, 'clonePack', { id: created.pack.id, name: 'home' });
      expect(cloned.__typename, cloned.message).toBe('ClonedPack');
      expect(await pulls(gateway, 'packs/default/home', image.descriptor.digest)).toBe(true);
    },
  );
});
