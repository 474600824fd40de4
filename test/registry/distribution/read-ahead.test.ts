/** The first reads of a purge may be under way before it may begin. A registry that fails them once is a fake. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import { registryError, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, indexOf, MANIFEST, repository, tag } from './images.ts';

const name = repository('packs/acme/triage');
const image = imageOf('of the pack');
const other = imageOf('of another one');
const { digest } = image.descriptor;

/** Has the image under its tag; fails the first reads that match. */
async function start(failing: RegExp = /^$/, times = 0) {
  let left = times;
  let isThere = true;
  const json = { 'content-type': 'application/json' };
  const hostile = await startHostileRegistry(({ method, path }) => {
    if (method === 'GET' && failing.test(path) && left-- > 0) {
      return { status: 400, headers: json, body: '{"errors":[{"code":"UNKNOWN"}]}' };
    }
    if (method === 'DELETE') {
      isThere = false;
      return { status: 202 };
    }
    if (path.includes('/tags/list')) {
      const tags = isThere ? '["1.0.0"]' : 'null';
      return { status: 200, headers: json, body: `{"name":"${name}","tags":${tags}}` };
    }
    if (path.includes('/referrers/')) return registryError(404, 'UNSUPPORTED');
    if (!isThere) {
      return { status: 404, headers: json, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' };
    }
    return { status: 200, headers: { 'content-type': MANIFEST }, body: image.manifest };
  });
  const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 10_000 });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  const asked = () => hostile.seen.map(({ method, path }) => `${method} ${path.split('/').at(-2)}`);
  const ahead = () => {
    const reads = registry.readAhead?.(name, digest, tag('1.0.0'));
    if (reads === undefined) throw new Error('nothing is read ahead');
    return reads;
  };
  return { registry, seen: hostile.seen, asked, ahead };
}

/** Until all that is read ahead has been asked for. */
async function arrived({ seen }: { readonly seen: readonly unknown[] }): Promise<void> {
  while (seen.length < 3) await pause(5);
}

test('what was read ahead is not read again', async () => {
  const world = await start();
  using ahead = world.ahead();
  await arrived(world);
  expect(world.asked().sort()).toEqual(['GET manifests', 'GET referrers', 'GET tags']);
  expect(await world.registry.purge(name, digest, { ahead })).toEqual({ kind: 'purged' });
  expect(world.asked().slice(3)).toEqual(['DELETE manifests', 'GET tags']);
});

test.each(['/tags/list', '/referrers/', '/manifests/1.0.0'])(
  'a read of %s that failed is made again by the purge',
  async (path) => {
    const world = await start(new RegExp(path), 1);
    using ahead = world.ahead();
    await arrived(world);
    expect(await world.registry.purge(name, digest, { ahead })).toEqual({ kind: 'purged' });
    expect(world.seen.filter((request) => request.path.includes(path)).length).toBeGreaterThan(1);
  },
);

test('reads of another image decide nothing of this one', async () => {
  const world = await start();
  using ahead = world.registry.readAhead?.(name, other.descriptor.digest, tag('2.0.0'));
  await arrived(world);
  expect(await world.registry.purge(name, digest, { ahead })).toEqual({ kind: 'purged' });
  expect(world.seen[3]?.method).toBe('GET');
});

test('reads that were ended are made again', async () => {
  const world = await start();
  const ahead = world.ahead();
  ahead[Symbol.dispose]();
  expect(await world.registry.purge(name, digest, { ahead })).toEqual({ kind: 'purged' });
});

test('an index under the tag of the pack that names its image keeps it, however early it was read', async () => {
  const index = indexOf(image);
  const hostile = await startHostileRegistry(({ method, path }) => {
    if (method === 'DELETE') return { status: 202 };
    const headers = { 'content-type': 'application/json' };
    if (path.includes('/tags/list')) {
      return { status: 200, headers, body: `{"name":"${name}","tags":["1.0.0"]}` };
    }
    if (path.includes('/referrers/')) return { status: 404, body: '404 page not found' };
    const { manifest, descriptor } = path.endsWith(digest) ? image : index;
    return { status: 200, headers: { 'content-type': descriptor.mediaType }, body: manifest };
  });
  const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 10_000 });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  using ahead = registry.readAhead?.(name, digest, tag('1.0.0'));
  expect(await registry.purge(name, digest, { ahead })).toEqual({ kind: 'retained_shared' });
  expect(hostile.seen.filter(({ method }) => method === 'DELETE')).toEqual([]);
});
