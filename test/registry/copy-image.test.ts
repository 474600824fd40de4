import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import { createLayoutRegistry } from '../../src/registry/layout/layout-registry.ts';
import {
  type Descriptor,
  isRepository,
  isTag,
  type Registry,
} from '../../src/registry/registry.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { type RegistryKind, registryKinds } from '../support/registries.ts';
import { sampleImage, sampleIndex, sampleLayer } from '../support/sample-image.ts';

const repo = (name: string) => {
  if (!isRepository(name)) throw new Error(name);
  return name;
};
const tag = (name: string) => {
  if (!isTag(name)) throw new Error(name);
  return name;
};
const from = repo('packs/acme/triage');
const to = repo('packs/globex/copy');
const v1 = tag('1.0.0');

async function open(kind: RegistryKind, operations: string[] = []): Promise<Registry> {
  const onCall = ({ operation }: { operation: string }) => void operations.push(operation);
  if (kind === 'embedded layout') {
    const directory = mkdtempSync(join(tmpdir(), 'copy-'));
    const registry = await createLayoutRegistry({ directory, onCall });
    onTestFinished(async () => {
      await registry.close();
      rmSync(directory, { recursive: true });
    });
    return registry;
  }
  const docker = await startDockerRegistry();
  const registry = createDistributionRegistry({ url: docker.url, deadlineMs: 5_000, onCall });
  onTestFinished(async () => {
    await registry.close();
    await docker.stop();
  });
  return registry;
}

async function contentOf(registry: Registry, blob: Descriptor): Promise<Buffer | string> {
  const read = await registry.readBlob(to, blob);
  return read.kind === 'found' ? Buffer.concat(await read.content.toArray()) : read.kind;
}

describe.each(registryKinds)('copying an image in the %s', (kind) => {
  test('the copy is whole and stays when its source is purged; no blob travels', async () => {
    const operations: string[] = [];
    const registry = await open(kind, operations);
    const image = sampleImage('triage');
    await registry.push(from, v1, image);
    operations.length = 0;
    const { digest } = image.descriptor;
    expect(await registry.copyImage({ repository: from }, digest, to, v1)).toEqual({
      kind: 'copied',
    });
    expect(operations).not.toContain('PUT blob');
    expect(operations).not.toContain('GET blob');
    expect(await registry.purge(from, digest)).toEqual({ kind: 'purged' });
    expect(await registry.readManifest(from, digest)).toEqual({ kind: 'missing' });
    expect(await registry.readManifest(to, v1)).toMatchObject({
      kind: 'found',
      descriptor: image.descriptor,
    });
    for (const { descriptor, open } of image.blobs) {
      const sent = Buffer.concat(await open().toArray());
      expect(await contentOf(registry, descriptor)).toEqual(sent);
    }
  });

  test.each(registryKinds)(
    'comes over from the %s without layers that clients fetch elsewhere',
    async (other) => {
      const source = await open(other);
      const registry = other === kind ? source : await open(kind);
      const own = sampleLayer('held by the registry');
      const { descriptor, open: read } = sampleLayer('held by its vendor');
      const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
      const urls = ['https://vendor.example/layer'];
      const foreign = { descriptor: { ...descriptor, mediaType, urls }, open: read };
      const image = sampleImage('windows', { layers: [foreign, own] });
      const blobs = image.blobs.filter((blob) => blob !== foreign);
      expect(await source.push(from, v1, { ...image, blobs })).toEqual({ kind: 'pushed' });

      const place = other === kind ? { repository: from } : { repository: from, registry: source };
      const { digest } = image.descriptor;
      expect(await registry.copyImage(place, digest, to, v1)).toEqual({ kind: 'copied' });
      expect(await registry.readManifest(to, v1)).toMatchObject({ descriptor: image.descriptor });
      expect(await contentOf(registry, own.descriptor)).toBeInstanceOf(Buffer);
      expect(await contentOf(registry, descriptor)).not.toBeInstanceOf(Buffer);
    },
  );

  test('what is not there is missing, and nothing is tagged', async () => {
    const registry = await open(kind);
    const { digest } = sampleImage('nowhere').descriptor;
    expect(await registry.copyImage({ repository: from }, digest, to, v1)).toEqual({
      kind: 'missing',
    });
    expect(await registry.readManifest(to, v1)).toEqual({ kind: 'missing' });
  });

  test('whoever lost the right to write copies nothing', async () => {
    const registry = await open(kind);
    const image = sampleImage('triage');
    await registry.push(from, v1, image);
    const source = { repository: from };
    const options = { mayWrite: () => false };
    expect(
      await registry.copyImage(source, image.descriptor.digest, to, v1, options),
    ).toMatchObject({ kind: 'failed', reason: 'TIMEOUT' });
    expect(await registry.readManifest(to, v1)).toEqual({ kind: 'missing' });
  });

  test.each(registryKinds)('an index comes over from the %s with all its images', async (other) => {
    const source = await open(other);
    const registry = await open(kind);
    const children = [sampleImage('amd64'), sampleImage('arm64')];
    for (const child of children) await source.push(from, tag('child'), child);
    const index = sampleIndex('triage', children);
    await source.push(from, v1, { ...index, blobs: [] });
    const { digest } = index.descriptor;
    const copied = await registry.copyImage({ repository: from, registry: source }, digest, to, v1);
    expect(copied).toEqual({ kind: 'copied' });
    for (const { descriptor, blobs } of children) {
      expect(await registry.readManifest(to, descriptor.digest)).toMatchObject({ kind: 'found' });
      for (const blob of blobs) {
        expect(await contentOf(registry, blob.descriptor)).toBeInstanceOf(Buffer);
      }
    }
  });
});
