/** One rule for both adapters: what somebody else needs is kept, and said to be. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import { createLayoutRegistry } from '../../src/registry/layout/layout-registry.ts';
import type { Digest, Image, Registry } from '../../src/registry/registry.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { type RegistryKind, registryKinds } from '../support/registries.ts';
import { sampleImage, sampleIndex } from '../support/sample-image.ts';
import { repository, tag } from './distribution/images.ts';
import { temporaryDirectory } from './layout/open-layout.ts';

const name = repository('packs/acme/needed');
const v1 = tag('1.0.0');
const image = sampleImage('ours');
const { digest } = image.descriptor;

async function open(kind: RegistryKind): Promise<Registry> {
  if (kind === 'embedded layout') {
    const registry = await createLayoutRegistry({ directory: await temporaryDirectory() });
    onTestFinished(() => registry.close());
    return registry;
  }
  const docker = await startDockerRegistry();
  const registry = createDistributionRegistry({ url: docker.url, deadlineMs: 5_000 });
  onTestFinished(async () => {
    await registry.close();
    await docker.stop();
  });
  await registry.push(name, v1, image);
  return registry;
}

describe.each(registryKinds)('in the %s, an image', (kind) => {
  const opened = async (): Promise<Registry> => {
    const registry = await open(kind);
    await registry.push(name, v1, image);
    return registry;
  };
  const isThere = async (registry: Registry, what: Image) =>
    (await registry.readManifest(name, what.descriptor.digest)).kind === 'found';
  const index = (content: string, ...children: Image[]): Image => ({
    ...sampleIndex(content, children),
    blobs: [],
  });

  test('that a tagged index of somebody else names is kept, until that index is gone', async () => {
    const registry = await opened();
    const both = index('both', image);
    await registry.push(name, tag('multi-arch'), both);
    expect(await registry.purge(name, digest)).toEqual({ kind: 'retained_shared' });
    expect(await isThere(registry, image)).toBe(true);
    expect(await registry.readManifest(name, v1)).toMatchObject({ kind: 'found' });
    // It has the image as a child, which has a tag of its own.
    expect(await registry.purge(name, both.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    expect(await isThere(registry, image)).toBe(false);
  });

  test('that an index inside a tagged index names is kept', async () => {
    const registry = await opened();
    const inner = index('inner', image);
    await registry.push(name, tag('inner'), inner);
    await registry.push(name, tag('outer'), index('outer', inner));
    expect(await registry.purge(name, digest)).toEqual({ kind: 'retained_shared' });
    expect(await isThere(registry, image)).toBe(true);
  });

  test('whose own tag somebody moved on to an index of it is kept', async () => {
    const registry = await opened();
    const both = index('moved', image);
    await registry.push(name, v1, both);
    expect(await registry.purge(name, digest)).toEqual({ kind: 'retained_shared' });
    expect(await isThere(registry, image)).toBe(true);
    expect(await isThere(registry, both)).toBe(true);
  });

  test('that another pack holds, or an index that another pack holds, is kept', async () => {
    const registry = await opened();
    const both = index('held', image);
    await registry.push(name, tag('held'), both);
    await registry.push(name, tag('held'), sampleImage('moved on'));
    for (const held of [digest, both.descriptor.digest]) {
      const options = { held: new Set<Digest>([held]) };
      expect(await registry.purge(name, digest, options)).toEqual({ kind: 'retained_shared' });
      expect(await isThere(registry, image)).toBe(true);
    }
  });

  test('beside indexes of other images goes, and they stay', async () => {
    const registry = await opened();
    const other = sampleImage('other');
    await registry.push(name, tag('other'), other);
    const both = index('of others', other);
    await registry.push(name, tag('multi-arch'), both);
    await registry.push(name, tag('latest'), image);
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    expect(await registry.readManifest(name, tag('latest'))).toEqual({ kind: 'missing' });
    for (const kept of [both, other]) expect(await isThere(registry, kept)).toBe(true);
  });

  test('goes although the list of its referrers names it as well', async () => {
    const registry = await opened();
    const signature = sampleImage('signature', { subject: image.descriptor });
    await registry.push(name, tag('signature'), signature);
    const list = index('referrers', signature, image);
    await registry.push(name, tag(digest.replace(':', '-')), list);
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    for (const gone of [image, signature, list]) expect(await isThere(registry, gone)).toBe(false);
  });
});
