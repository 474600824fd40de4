import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sampleImage, sampleLayer } from '../../support/sample-image.ts';
import { MOUNTING, tinyDisk } from '../../support/tiny-disk.ts';
import {
  openLayout,
  repo,
  stateOf,
  storedDigests,
  tagged,
  temporaryDirectory,
} from './open-layout.ts';

const triage = repo('packs/acme/triage');
const small = sampleImage('small');
const large = sampleImage('large', { layers: [sampleLayer(randomBytes(2 * 1024 * 1024))] });
it('says that the disk is full, leaves nothing behind, and goes on when there is room', async (test) => {
  const disk = await tinyDisk();
  if (disk === undefined) return test.skip(MOUNTING);
  const { registry } = await openLayout(disk);
  expect(await registry.push(triage, tagged('large'), large)).toEqual({
    kind: 'failed',
    reason: 'REGISTRY_ERROR',
    retryable: true,
    detail: expect.stringMatching(/^The disk is full/),
  });
  expect(await registry.push(triage, tagged('small'), small)).toEqual({ kind: 'pushed' });
  expect(await stateOf(registry, triage, tagged('small'), small)).toBe('whole');
  expect(await registry.purge(triage, small.descriptor.digest)).toEqual({ kind: 'purged' });
});

it('purges on a disk without one free byte, again after a restart, and then has room', async (test) => {
  const disk = await tinyDisk();
  if (disk === undefined) return test.skip(MOUNTING);
  const { registry } = await openLayout(disk);
  const images = ['a', 'b', 'c'].map((name) =>
    sampleImage(name, { layers: [sampleLayer(randomBytes(100_000))] }),
  );
  for (const image of images) await registry.push(triage, tagged('1.0.0'), image);
  const filler = join(disk, 'filler');
  const [first, second, third] = images.map(({ descriptor }) => descriptor.digest);
  const fill = () => appendFileSync(filler, Buffer.alloc(freeBytes(disk)));
  fill();
  expect(await registry.push(triage, tagged('small'), small)).toMatchObject({ kind: 'failed' });
  expect(first && (await registry.purge(triage, first))).toEqual({ kind: 'purged' });
  fill();
  expect(second && (await registry.purge(triage, second))).toEqual({ kind: 'purged' });
  await registry.close();
  fill();
  const { registry: reopened } = await openLayout(disk);
  expect(third && (await reopened.purge(triage, third))).toEqual({ kind: 'purged' });
  expect(await storedDigests(disk)).toEqual([]);
  expect(await reopened.push(triage, tagged('small'), small)).toEqual({ kind: 'pushed' });
});

it('never takes for the index what a full disk cut off', async (test) => {
  const disk = await tinyDisk();
  if (disk === undefined) return test.skip(MOUNTING);
  const { registry } = await openLayout(disk);
  // They share all content, so that one more needs room for the index alone.
  const places = Array.from({ length: 60 }, (_, place) => repo(`packs/acme/pack-${place}`));
  const [last = triage, ...stored] = places;
  for (const place of stored) await registry.push(place, tagged('small'), small);
  const index = readFileSync(join(disk, 'index.json'));
  const page = 4_096;
  expect(index.length).toBeGreaterThan(3 * page);
  // Whatever of it the lock takes, the index is cut off at one of them.
  for (const free of [3 * page, 2 * page, page]) {
    appendFileSync(join(disk, 'filler'), Buffer.alloc(freeBytes(disk) - free));
    expect(await registry.push(last, tagged('small'), small)).toMatchObject({
      kind: 'failed',
      retryable: true,
      detail: expect.stringMatching(/^The disk is full/),
    });
    expect(readFileSync(join(disk, 'index.json'))).toEqual(index);
  }
  for (const [number, place] of stored.entries()) {
    const { digest } = small.descriptor;
    expect(await registry.purge(place, digest), `${number}`).toEqual({ kind: 'purged' });
  }
  expect(await storedDigests(disk)).toEqual([]);
});

it('says that the directory is read-only, then works again once it is not', async (test) => {
  const disk = await tinyDisk();
  if (disk === undefined) return test.skip(MOUNTING);
  const { registry } = await openLayout(disk);
  await registry.push(triage, tagged('small'), small);
  // A disk with a file open for writing, as a registry's lock is, cannot become read-only.
  await registry.close();
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const { registry: reopened } = await openLayout(disk);
  const { registry: fresh } = await openLayout(join(disk, 'not', 'there'));
  for (const outcome of [
    await fresh.check(),
    await reopened.push(triage, tagged('large'), large),
    await reopened.purge(triage, small.descriptor.digest),
    await reopened.check(),
  ])
    expect(outcome).toEqual({
      kind: 'failed',
      reason: 'REGISTRY_ERROR',
      retryable: false,
      detail: expect.stringContaining('read-only'),
    });
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  expect(await stateOf(reopened, triage, tagged('small'), small)).toBe('whole');
  expect(await reopened.purge(triage, small.descriptor.digest)).toEqual({ kind: 'purged' });
});

it('says that nobody may write where the directory is immutable (EPERM), then works again', async (test) => {
  const { registry, directory } = await openLayout();
  await registry.push(triage, tagged('small'), small);
  const { digest } = small.descriptor;
  // `index.json` gets its place by rename, which an immutable directory refuses.
  const mayChange = (yes: boolean) =>
    execFileSync('chattr', [yes ? '-i' : '+i', directory], { stdio: 'ignore' });
  try {
    mayChange(false);
  } catch {
    return test.skip('needs the right to make a directory immutable');
  }
  try {
    for (const outcome of [
      await registry.push(triage, tagged('large'), large),
      await registry.purge(triage, digest),
    ])
      expect(outcome).toEqual({
        kind: 'failed',
        reason: 'REGISTRY_ERROR',
        retryable: false,
        detail: expect.stringContaining('belongs to another user'),
      });
    expect(await stateOf(registry, triage, tagged('small'), small)).toBe('whole');
  } finally {
    mayChange(true);
  }
  expect(await registry.purge(triage, digest)).toEqual({ kind: 'purged' });
});

it('says that the disk is full when a file may not grow, and purges all the same', async () => {
  const directory = await temporaryDirectory();
  // A limit of 64 KiB a file, which needs no rights.
  const limited = `ulimit -f 64; exec "$0" test/support/layout-pusher.ts "$1" limited 2 purge "$2"`;
  const run = (bytes: number) =>
    execFileSync('bash', ['-c', limited, process.execPath, directory, `${bytes}`], {
      encoding: 'utf8',
    });
  expect(run(1_000)).toBe('pushed 0\npurging 0\npurged 0\npushed 1\n');
  expect(run(1_000_000)).toMatch(/^failed 0 .*"retryable":true,"detail":"The disk is full/);
});

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
