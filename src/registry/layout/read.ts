/** Reading: only what a manifest of the repository reaches is there, whatever else the layout holds. */
import { pipeline, type Readable } from 'node:stream';
import type { Descriptor, Digest, Repository, Tag } from '../registry.ts';
import { isDigest } from '../registry.ts';
import { LayoutError, permanent } from './failure.ts';
import type { ImageLayout } from './image-layout.ts';
import { isTagged } from './index-document.ts';
import type { Reached } from './reachability.ts';
import { verifyContent } from './verify-content.ts';

interface FoundManifest {
  readonly kind: 'found';
  readonly descriptor: Descriptor;
  readonly manifest: Uint8Array;
}
interface FoundBlob {
  readonly kind: 'found';
  readonly content: Readable;
}
interface Missing {
  readonly kind: 'missing';
}

export async function readManifest(
  layout: ImageLayout,
  repository: Repository,
  reference: Tag | Digest,
  signal: AbortSignal | undefined,
): Promise<FoundManifest | Missing> {
  return await twice(signal, async () => {
    const found = isDigest(reference)
      ? (await reachedIn(layout, repository)).manifests.get(reference)
      : (await layout.readIndex())
          .in(repository)
          .find((entry) => isTagged(entry, repository, reference));
    if (found === undefined) return { kind: 'missing' };
    const manifest = await layout.readManifest(found.digest);
    const { mediaType, digest, size } = found;
    return manifest && { kind: 'found', descriptor: { mediaType, digest, size }, manifest };
  });
}

export async function readBlob(
  layout: ImageLayout,
  repository: Repository,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<FoundBlob | Missing> {
  return await twice(signal, async () => {
    const { blobs } = await reachedIn(layout, repository);
    if (!blobs.has(descriptor.digest)) return { kind: 'missing' };
    const stored = await layout.openBlob(descriptor.digest);
    if (stored === undefined) return undefined;
    // The callback has nothing to do: an error reaches the reader through the stream that it holds.
    const content = pipeline(stored, verifyContent(descriptor), () => undefined);
    return { kind: 'found', content };
  });
}

/** A purge may remove what the index named a moment ago: only a second look tells that from damage. */
async function twice<T>(
  signal: AbortSignal | undefined,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; tries < 2; tries++) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new LayoutError(
    permanent('Stored content is missing or damaged: restore the registry from a backup.'),
  );
}

async function reachedIn(layout: ImageLayout, repository: Repository): Promise<Reached> {
  return await layout.reachability.from((await layout.readIndex()).in(repository));
}
