/**
 * What an upload, a read and a deletion cost in the embedded registry beside so many images: part of `npm run bench`, and
 * alone as `npm run layout [-- --images 100,10000]`.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { createLayoutRegistry } from '../../src/registry/layout/layout-registry.ts';
import {
  type Descriptor,
  type Image,
  isDigest,
  isRepository,
  isTag,
} from '../../src/registry/registry.ts';
import { median } from './summary.ts';

const COUNTED = 20;
const SIZES = '100,10000';

/** Medians of 20, milliseconds. */
export interface LayoutCosts {
  readonly images: number;
  readonly upload: number;
  readonly read: number;
  readonly delete: number;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { images: { type: 'string', default: SIZES } } });
  for (const costs of await measureLayout(values.images)) {
    process.stdout.write(`${layoutLine(costs)}\n`);
  }
}

/** @param sizes numbers of images, between commas */
export async function measureLayout(sizes = SIZES): Promise<LayoutCosts[]> {
  const costs: LayoutCosts[] = [];
  for (const images of sizes.split(',').map(Number)) {
    const directory = mkdtempSync(join(tmpdir(), 'bench-layout-'));
    try {
      await fill(directory, images);
      costs.push({ images, ...(await measure(directory)) });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return costs;
}

export function layoutLine({ images, ...costs }: LayoutCosts): string {
  const shown = Object.entries(costs).map(([what, ms]) => `${what} ${ms.toFixed(1)} ms`);
  return `The embedded registry beside ${images} images: ${shown.join(', ')}.`;
}

async function measure(directory: string) {
  const registry = await createLayoutRegistry({ directory });
  const samples = { upload: [] as number[], read: [] as number[], delete: [] as number[] };
  for (let i = 0; i < COUNTED; i++) {
    const { image, repository, tag } = imageNumber(`measured-${i}`);
    samples.upload.push(await timed(() => registry.push(repository, tag, image)));
    samples.read.push(
      await timed(() => registry.readManifest(repository, image.descriptor.digest)),
    );
    samples.delete.push(await timed(() => registry.purge(repository, image.descriptor.digest)));
  }
  await registry.close();
  const middle = (all: readonly number[]) => median(all) ?? 0;
  return {
    upload: middle(samples.upload),
    read: middle(samples.read),
    delete: middle(samples.delete),
  };
}

async function timed(work: () => Promise<{ readonly kind: string }>): Promise<number> {
  const startedAt = performance.now();
  const { kind } = await work();
  if (!['pushed', 'found', 'purged'].includes(kind)) throw new Error(`the registry says ${kind}`);
  return performance.now() - startedAt;
}

/** Written past the registry, which syncs each image to the disk. */
async function fill(directory: string, size: number): Promise<void> {
  const blobs = join(directory, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const manifests: object[] = [];
  for (let i = 0; i < size; i++) {
    const { image, repository, tag } = imageNumber(`pack-${i}`);
    const put = (digest: string, bytes: Uint8Array) =>
      writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
    await put(image.descriptor.digest, image.manifest);
    for (const { descriptor, open } of image.blobs) {
      await put(descriptor.digest, Buffer.concat(await open().toArray()));
    }
    const name = `${repository}:${tag}`;
    const annotations = { 'org.opencontainers.image.ref.name': name };
    manifests.push({ ...image.descriptor, annotations });
  }
  const index = { schemaVersion: 2, manifests };
  await writeFile(join(directory, 'index.new'), JSON.stringify(index));
  await rename(join(directory, 'index.new'), join(directory, 'index.json'));
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

function imageNumber(name: string) {
  const repository = `packs/bench/${name}`;
  const tag = '1.0.0';
  if (!isRepository(repository) || !isTag(tag)) throw new Error('a name that is none');
  const config = describe(
    'application/vnd.oci.image.config.v1+json',
    Buffer.from(`{"author":"${name}"}`),
  );
  const layer = describe('application/vnd.oci.image.layer.v1.tar', Buffer.from(name.padEnd(2_048)));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: config.descriptor,
      layers: [layer.descriptor],
    }),
  );
  const image: Image = {
    manifest,
    descriptor: describe(mediaType, manifest).descriptor,
    blobs: [config, layer],
  };
  return { image, repository, tag };
}

function describe(mediaType: string, bytes: Buffer) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (!isDigest(digest)) throw new Error('a digest that is none');
  const descriptor: Descriptor = { mediaType, digest, size: bytes.length };
  return { descriptor, open: () => Readable.from([bytes]) };
}
