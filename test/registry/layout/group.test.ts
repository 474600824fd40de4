/** Changes that come while one is written are written together. */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { sampleImage } from '../../support/sample-image.ts';
import { digestsOf, openLayout, repo, stateOf, storedDigests, tagged } from './open-layout.ts';

const v1 = tagged('1.0.0');
const imageOf = (name: string) => sampleImage(`image of ${name}`);
const named = (count: number) =>
  Array.from({ length: count }, (_, number) => `packs/acme/p${number}`);

/** Counts how often index.json is put in its place, and holds the first time back until it is released. */
function holdIndex() {
  const { rename } = fs;
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const held = { writes: 0, reached: reached.promise, release: () => released.resolve() };
  const patched = async (from: string, to: string) => {
    if (to.endsWith('index.json')) {
      held.writes++;
      reached.resolve();
      await released.promise;
    }
    await rename(from, to);
  };
  const restore = (to: typeof rename) => {
    Object.assign(fs, { rename: to });
    syncBuiltinESMExports();
  };
  Object.assign(fs, { rename: patched });
  syncBuiltinESMExports();
  onTestFinished(() => restore(rename));
  return held;
}

/** Each of these images is two blobs and a manifest; what is staged waits for its turn. */
async function staged(directory: string, images: number): Promise<void> {
  const root = join(directory, '.pack-gateway/staging');
  const [own = ''] = (await fs.readdir(root)).filter((name) => !name.includes('.lock'));
  const count = async () => (await fs.readdir(join(root, own))).length;
  await expect.poll(count, { timeout: 30_000 }).toBeGreaterThanOrEqual(images * 3);
}

it('uploads to many repositories share a write, and each is whole once it is answered', async () => {
  const { registry, directory } = await openLayout();
  const held = holdIndex();
  const names = named(16);
  const push = async (name: string) => {
    const outcome = await registry.push(repo(name), v1, imageOf(name));
    expect(outcome, name).toEqual({ kind: 'pushed' });
    expect(await stateOf(registry, repo(name), v1, imageOf(name)), name).toBe('whole');
  };
  const first = push('packs/acme/first');
  await held.reached;
  const others = names.map(push);
  await staged(directory, names.length);
  held.release();
  await Promise.all([first, ...others]);
  expect(held.writes).toBeLessThan(names.length / 2);

  held.writes = 0;
  const purges = names.map((name) => registry.purge(repo(name), imageOf(name).descriptor.digest));
  expect(await Promise.all(purges)).toEqual(names.map(() => ({ kind: 'purged' })));
  expect(held.writes).toBeLessThan(names.length / 2);
  expect(await storedDigests(directory)).toEqual(digestsOf(imageOf('packs/acme/first')));
});

it('one that fails, is too late or is given up does not take the others along', async () => {
  const { registry, directory } = await openLayout();
  const held = holdIndex();
  const [first = '', good = '', late = '', incomplete = '', gone = ''] = named(5);
  const push = (name: string, options = {}) =>
    registry.push(repo(name), v1, imageOf(name), options);
  const writing = push(first);
  await held.reached;
  const leaving = new AbortController();
  const { manifest, descriptor } = imageOf(incomplete);
  const waiting = [
    push(good),
    push(late, { mayWrite: () => false }),
    registry.push(repo(incomplete), v1, { manifest, descriptor, blobs: [] }),
    push(gone, { signal: leaving.signal }),
  ];
  await staged(directory, 3);
  leaving.abort();
  expect(await waiting[3]).toMatchObject({ kind: 'failed', reason: 'TIMEOUT' });
  held.release();
  expect(await writing).toEqual({ kind: 'pushed' });
  expect(await Promise.all(waiting)).toMatchObject([
    { kind: 'pushed' },
    { kind: 'failed', reason: 'TIMEOUT' },
    { kind: 'failed', reason: 'REGISTRY_ERROR' },
    { kind: 'failed', reason: 'TIMEOUT' },
  ]);
  for (const name of [first, good])
    expect(await stateOf(registry, repo(name), v1, imageOf(name))).toBe('whole');
  for (const name of [late, incomplete, gone])
    expect(await registry.readManifest(repo(name), v1)).toEqual({ kind: 'missing' });
});

it('changes of one repository happen one after the other', async () => {
  const { registry } = await openLayout();
  const held = holdIndex();
  const [name = ''] = named(1);
  const place = repo(name);
  const tags = ['a', 'b', 'c'].map(tagged);
  const pushes = tags.map((tag) => registry.push(place, tag, imageOf(tag)));
  await held.reached;
  held.release();
  await Promise.all(pushes);
  for (const tag of tags) expect(await stateOf(registry, place, tag, imageOf(tag))).toBe('whole');
  expect(held.writes).toBe(tags.length);
});
