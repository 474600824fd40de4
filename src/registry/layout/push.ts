import { readFile, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { MAX_MANIFEST_BYTES, parseReferences } from '../manifest-references.ts';
import type { Blob, CallOptions, Digest, Image, Repository, Tag } from '../registry.ts';
import { LayoutError, permanent } from './failure.ts';
import type { ImageLayout } from './image-layout.ts';
import { setTag } from './set-tag.ts';
import { hasDigest } from './verify-content.ts';

/** Content that is written or pinned, but not yet part of the layout: digest to path. */
type Staged = Map<Digest, string>;

/**
 * Stages all content without the lock, which may take long, then gives it its names and the index its entry
 * in one change: a collection by another process sees both or neither.
 */
export async function push(
  layout: ImageLayout,
  repository: Repository,
  tag: Tag,
  image: Image,
  options: CallOptions,
): Promise<{ kind: 'pushed' }> {
  checkManifest(image);
  const manifest: Blob = {
    descriptor: image.descriptor,
    open: () => Readable.from([image.manifest]),
  };
  const staged: Staged = new Map();
  try {
    for (const blob of [...image.blobs, manifest])
      await stage(layout, blob, staged, options.signal);
    const needed = await neededBy(image.manifest, staged);
    await layout.change({
      repository,
      options,
      removes: false,
      content: staged,
      plan: async (draft) => {
        // Content that was not sent must be in this very repository: a digest is no key to another's content.
        const unsent = needed.filter((digest) => !staged.has(digest));
        if (unsent.length > 0) {
          const { manifests, blobs } = await layout.reachability.from(draft.in(repository));
          if (!unsent.every((digest) => manifests.has(digest) || blobs.has(digest)))
            throw incomplete();
        }
        setTag(draft, repository, tag, image.descriptor);
      },
    });
    layout.reachability.learn(image.descriptor.digest, image.manifest);
    return { kind: 'pushed' };
  } finally {
    for (const path of staged.values()) await rm(path, { force: true });
  }
}

function checkManifest({ manifest, descriptor }: Image): void {
  if (manifest.byteLength > MAX_MANIFEST_BYTES)
    throw new LayoutError(permanent('The manifest is larger than 4 MiB.'));
  if (manifest.byteLength !== descriptor.size || !hasDigest(manifest, descriptor.digest))
    throw new LayoutError(permanent('The manifest does not match its digest and size.'));
}

async function stage(
  layout: ImageLayout,
  blob: Blob,
  staged: Staged,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest } = blob.descriptor;
  if (staged.has(digest)) return;
  signal?.throwIfAborted();
  const pinned = await layout.staging.pin(layout.blobPath(digest), blob.descriptor);
  staged.set(digest, pinned ?? (await layout.staging.write(blob, signal)));
}

/** All content that the manifest cannot do without, through the nested manifests that came with it. */
async function neededBy(manifest: Uint8Array, staged: Staged): Promise<Digest[]> {
  const references = parseReferences(manifest);
  if (references === undefined)
    throw new LayoutError(
      permanent('The manifest is no image manifest or index with sha256 digests.'),
    );
  const needed = [...references.blobs, ...references.manifests].map(({ digest }) => digest);
  for (const { digest } of references.manifests) {
    const path = staged.get(digest);
    if (path !== undefined) needed.push(...(await neededBy(await readFile(path), staged)));
  }
  return needed;
}

const incomplete = (): LayoutError =>
  new LayoutError(
    permanent('The manifest names content that was neither sent nor is in the repository.'),
  );
