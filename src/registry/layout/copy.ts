import { Readable } from 'node:stream';
import { parseReferences } from '../manifest-references.ts';
import type {
  Blob,
  CallOptions,
  Descriptor,
  Digest,
  Image,
  ImageSource,
  Repository,
  Tag,
} from '../registry.ts';
import { LayoutError, passing, permanent } from './failure.ts';
import type { ImageLayout } from './image-layout.ts';
import { push } from './push.ts';
import { setTag } from './set-tag.ts';

type Reader = NonNullable<ImageSource['registry']>;

/** Within the layout a copy is one more entry of the index, because all repositories share the content. */
export async function copy(
  layout: ImageLayout,
  from: ImageSource,
  digest: Digest,
  to: Repository,
  tag: Tag,
  options: CallOptions,
): Promise<{ kind: 'copied' | 'missing' }> {
  if (from.registry !== undefined) {
    const image = await imageFrom(from.registry, from.repository, digest, options);
    if (image === null) return { kind: 'missing' };
    await push(layout, to, tag, image, options);
    return { kind: 'copied' };
  }
  return await layout.change({
    repository: to,
    options,
    removes: false,
    plan: async (draft) => {
      const here = draft.in(from.repository);
      const found = (await layout.reachability.from(here)).manifests.get(digest);
      if (found === undefined) return { kind: 'missing' };
      setTag(draft, to, tag, found);
      return { kind: 'copied' };
    },
  });
}

/** An image of another registry; nested manifests are read, blobs only when they are opened. */
async function imageFrom(
  registry: Reader,
  repository: Repository,
  digest: Digest,
  options: CallOptions,
): Promise<Image | null> {
  const read = await registry.readManifest(repository, digest, options);
  if (read.kind === 'failed') throw new LayoutError(read);
  if (read.kind === 'missing') return null;
  const references = parseReferences(read.manifest);
  if (references === undefined) {
    throw new LayoutError(permanent('The source has no image at this digest.'));
  }
  const blobs: Blob[] = references.blobs.map((descriptor) => ({
    descriptor,
    open: () =>
      Readable.from(content(registry, repository, descriptor, options), { objectMode: false }),
  }));
  for (const child of references.manifests) {
    const image = await imageFrom(registry, repository, child.digest, options);
    if (image === null) throw new LayoutError(incomplete);
    const { descriptor, manifest } = image;
    blobs.push(...image.blobs, { descriptor, open: () => Readable.from([manifest]) });
  }
  return { manifest: read.manifest, descriptor: read.descriptor, blobs };
}

async function* content(
  registry: Reader,
  repository: Repository,
  descriptor: Descriptor,
  options: CallOptions,
): AsyncGenerator<Buffer> {
  const read = await registry.readBlob(repository, descriptor, options);
  if (read.kind === 'failed') throw new LayoutError(read);
  if (read.kind === 'missing') throw new LayoutError(incomplete);
  yield* read.content;
}

const incomplete = passing('The source lacks a part of the image.');
