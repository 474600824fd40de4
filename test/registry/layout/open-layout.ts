import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { createLayoutRegistry } from '../../../src/registry/layout/layout-registry.ts';
import {
  type Digest,
  type Image,
  isRepository,
  isTag,
  type Registry,
  type Repository,
  type Tag,
} from '../../../src/registry/registry.ts';

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'layout-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A registry on a directory of its own, closed and removed with the test. */
export async function openLayout(
  existing?: string,
): Promise<{ registry: Registry; directory: string }> {
  const directory = existing ?? (await temporaryDirectory());
  const registry = await createLayoutRegistry({ directory });
  onTestFinished(() => registry.close());
  return { registry, directory };
}

export function repo(name: string): Repository {
  if (!isRepository(name)) throw new Error(`no repository: ${name}`);
  return name;
}

export function tagged(name: string): Tag {
  if (!isTag(name)) throw new Error(`no tag: ${name}`);
  return name;
}

/** The digests of all content on disk. */
export async function storedDigests(directory: string): Promise<string[]> {
  return (await readdir(join(directory, 'blobs/sha256'))).map((name) => `sha256:${name}`).sort();
}

export function digestsOf(...images: readonly Image[]): string[] {
  const all = images.flatMap(({ descriptor, blobs }) => [
    descriptor.digest,
    ...blobs.map((blob) => blob.descriptor.digest),
  ]);
  return [...new Set<string>(all)].sort();
}

/** What became of an image: `whole` only when its manifest and each blob come back with their digests. */
export async function stateOf(
  registry: Registry,
  repository: Repository,
  reference: Tag | Digest,
  image: Image,
): Promise<string> {
  const read = await registry.readManifest(repository, reference);
  if (read.kind !== 'found') return read.kind;
  if (!Buffer.from(image.manifest).equals(read.manifest)) return 'another manifest';
  for (const { descriptor } of image.blobs) {
    const blob = await registry.readBlob(repository, descriptor);
    if (blob.kind !== 'found') return `blob ${blob.kind}`;
    if ((await hashOf(blob.content)) !== descriptor.digest) return 'another blob';
  }
  return 'whole';
}

async function hashOf(content: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
