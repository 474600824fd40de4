/** What an operation reads does not grow with the number of images; counted, for times say nothing here. */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { expect, it, onTestFinished } from 'vitest';
import { inParallel } from '../../../src/registry/in-parallel.ts';
import type { Digest, Registry } from '../../../src/registry/registry.ts';
import { isSweep } from '../../support/extent.ts';
import { sampleImage, sampleIndex, sampleLayer } from '../../support/sample-image.ts';
import { digestsOf, openLayout, repo, stateOf, storedDigests, tagged } from './open-layout.ts';

const read = { files: 0, directories: 0, names: 0 };

/** Counts what anybody reads until the test is over; only the forms that the layout uses. */
function countReads(): void {
  const { open, readFile, readdir } = fs;
  const counted = {
    open: (...args: Parameters<typeof open>) => {
      read.files++;
      return open(...args);
    },
    readFile: (path: string, encoding?: 'utf8') => {
      read.files++;
      return encoding === undefined ? readFile(path) : readFile(path, encoding);
    },
    readdir: async (path: string) => {
      const names = await readdir(path);
      read.directories++;
      read.names += names.length;
      return names;
    },
  };
  Object.assign(fs, counted);
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(fs, { open, readFile, readdir });
    syncBuiltinESMExports();
  });
}

const triage = repo('packs/acme/triage');
const v1 = tagged('1.0.0');
const shared = sampleLayer('of every image');
const imageNumber = (number: number) =>
  sampleImage(`image ${number}`, { layers: [shared, sampleLayer(`only of ${number}`)] });

async function fill(registry: Registry, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, place) => from + place);
  await inParallel(numbers, 16, async (number) => {
    await registry.push(repo(`packs/acme/pack-${number}`), v1, imageNumber(number));
  });
}

/** What is read by each operation on an image of its own. */
async function costs(registry: Registry) {
  const image = sampleImage('measured', { layers: [shared, sampleLayer('only measured')] });
  const { digest } = image.descriptor;
  const counted = async (work: () => Promise<unknown>) => {
    Object.assign(read, { files: 0, directories: 0, names: 0 });
    await work();
    return { ...read };
  };
  return {
    upload: await counted(() => registry.push(triage, v1, image)),
    read: await counted(() => stateOf(registry, triage, v1, image)),
    byDigest: await counted(() => registry.readManifest(triage, digest)),
    delete: await counted(() => registry.purge(triage, digest)),
    again: await counted(() => registry.purge(triage, digest)),
  };
}

const MANY = isSweep ? 1_000 : 100;

it(`upload, read and delete read as much beside ${MANY.toLocaleString('en')} images as beside 10`, async () => {
  countReads();
  const { registry, directory } = await openLayout();
  await fill(registry, 0, 10);
  const few = await costs(registry);
  await fill(registry, 10, MANY);
  const many = await costs(registry);
  expect(many).toEqual(few);
  expect(many.delete.files).toBeLessThan(10);
  // Otherwise nothing was counted.
  for (const { files } of [many.upload, many.read]) expect(files).toBeGreaterThan(0);

  // After a restart nothing is known of them but what the start has read.
  await registry.close();
  const { registry: reopened } = await openLayout(directory);
  const restarted = await costs(reopened);
  expect(restarted.delete).toEqual(few.delete);
  expect(await stateOf(reopened, repo('packs/acme/pack-50'), v1, imageNumber(50))).toBe('whole');
});

it('upload, read and delete put into words, take apart or copy a part of the index only', async () => {
  const { registry, directory } = await openLayout();
  // More than half of the index is in other parts than that of the newest.
  await fill(registry, 0, 400);
  const { size } = await fs.stat(`${directory}/index.json`);
  const image = sampleImage('measured');
  const lengths: number[] = [];
  const { parse, stringify } = JSON;
  const { concat } = Buffer;
  onTestFinished(() => {
    Object.assign(JSON, { parse, stringify });
    Object.assign(Buffer, { concat });
  });
  Object.assign(JSON, {
    parse: (text: string) => {
      lengths.push(text.length);
      return parse(text);
    },
    stringify: (value: unknown) => {
      const text = stringify(value);
      lengths.push(text.length);
      return text;
    },
  });
  Object.assign(Buffer, {
    concat: (...args: Parameters<typeof concat>) => {
      const whole = concat(...args);
      lengths.push(whole.length);
      return whole;
    },
  });
  await registry.push(triage, v1, image);
  expect(await stateOf(registry, triage, v1, image)).toBe('whole');
  expect(await registry.purge(triage, image.descriptor.digest)).toEqual({ kind: 'purged' });
  // Otherwise nothing was counted.
  expect(lengths.length).toBeGreaterThan(0);
  expect(Math.max(...lengths)).toBeLessThan(size / 2);
});

it('an index that was put there keeps what its images share with one that is purged', async () => {
  const { registry, directory } = await openLayout();
  const image = sampleImage('ours', { layers: [shared, sampleLayer('only ours')] });
  const both = sampleIndex('both', [imageNumber(1), imageNumber(2)]);
  await registry.push(triage, v1, image);
  await registry.push(repo('packs/acme/both'), v1, both);
  expect(await registry.purge(triage, image.descriptor.digest)).toEqual({ kind: 'purged' });
  expect(await storedDigests(directory)).toEqual(digestsOf(both));
});

it('what another process has stored is read once, and what it shares is kept', async () => {
  const { registry, directory } = await openLayout();
  const { registry: other } = await openLayout(directory);
  const image = sampleImage('ours', { layers: [shared, sampleLayer('only ours')] });
  const theirs = sampleIndex('theirs', [imageNumber(1), imageNumber(2)]);
  await registry.push(triage, v1, image);
  await other.push(repo('packs/acme/theirs'), v1, theirs);
  expect(await registry.purge(triage, image.descriptor.digest)).toEqual({ kind: 'purged' });
  expect(await storedDigests(directory)).toEqual(digestsOf(theirs));
  expect(await other.purge(repo('packs/acme/theirs'), theirs.descriptor.digest)).toEqual({
    kind: 'purged',
  });
  expect(await storedDigests(directory)).toEqual([]);
});

it('many readers at once read once what another process has stored', async () => {
  const { registry, directory } = await openLayout();
  const { registry: other } = await openLayout(directory);
  await other.push(triage, v1, imageNumber(1));
  const { open } = fs;
  let opened = 0;
  const restore = (to: typeof open) => {
    Object.assign(fs, { open: to });
    syncBuiltinESMExports();
  };
  onTestFinished(() => restore(open));
  restore((path, ...rest) => {
    if (String(path).endsWith('/index.json')) opened++;
    return open(path, ...rest);
  });
  const reads = await Promise.all(
    Array.from({ length: 8 }, () => registry.readManifest(triage, v1)),
  );
  expect(new Set(reads.map(({ kind }) => kind))).toEqual(new Set(['found']));
  expect(opened).toBe(1);
});

it('what oras attached, which belongs to no repository, goes with its image, but not while another has it', async () => {
  const { registry, directory } = await openLayout();
  const image = sampleImage('attached to');
  const attached = sampleImage('attached', { subject: image.descriptor });
  const elsewhere = repo('packs/globex/triage');
  await registry.push(triage, v1, image);
  await registry.push(elsewhere, v1, image);
  await attach(registry, directory, attached.descriptor.digest, attached);
  expect(await registry.purge(triage, image.descriptor.digest)).toEqual({ kind: 'purged' });
  expect(await storedDigests(directory)).toEqual(digestsOf(image, attached));
  expect(await registry.purge(elsewhere, image.descriptor.digest)).toEqual({ kind: 'purged' });
  expect(await storedDigests(directory)).toEqual([]);
});

/** As oras does it: an entry of index.json without the annotation that names a tag. */
async function attach(
  registry: Registry,
  directory: string,
  digest: Digest,
  image: ReturnType<typeof sampleImage>,
): Promise<void> {
  const { readFile, writeFile } = await import('node:fs/promises');
  await registry.push(repo('packs/acme/oras'), v1, image);
  const path = `${directory}/index.json`;
  const index: { manifests: { digest: string; annotations?: object }[] } = JSON.parse(
    await readFile(path, 'utf8'),
  );
  for (const entry of index.manifests) if (entry.digest === digest) delete entry.annotations;
  await writeFile(path, JSON.stringify(index));
}
