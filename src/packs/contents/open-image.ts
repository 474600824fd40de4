import type { Readable } from 'node:stream';
import { ELSEWHERE } from '../../registry/manifest-references.ts';
import type {
  CallOptions,
  Descriptor,
  Digest,
  Registry,
  RegistryFailure,
  Repository,
  Tag,
} from '../../registry/registry.ts';
import { type Layer, parseManifest } from './image-manifest.ts';
import { ImageRefused, RegistryFailed } from './image-refused.ts';

/** An image of one platform, as its manifest describes it. */
export interface OpenedImage {
  readonly kind: 'opened';
  /** Of the manifest or index that the reference stands for. */
  readonly digest: Digest;
  readonly artifactType: string | null;
  /** The lowest first; those that no registry holds are left out. */
  readonly layers: readonly Layer[];
  /** Manifests, config and layers: what a client downloads. */
  readonly sizeBytes: number;
  /** Streams a blob of it. Throws `RegistryFailed`, `ImageRefused`. */
  readonly read: (layer: Descriptor) => Promise<Readable>;
}

/** `refused`: what the image is, as the end of "names …". `missing`: there is none. */
export type OpenImageOutcome =
  | OpenedImage
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly why: string }
  | RegistryFailure;

/** No tool nests indexes more deeply. */
const DEEPEST_INDEX = 3;

/** What an artifact without content has in place of a layer. */
const EMPTY = 'application/vnd.oci.empty.v1+json';

/** Finds the image that a reference stands for, in an index the one for linux/amd64, and what it consists of. */
export async function openImage(
  registry: Pick<Registry, 'readManifest' | 'readBlob'>,
  repository: Repository,
  reference: Tag | Digest,
  options: CallOptions,
): Promise<OpenImageOutcome> {
  const top = await registry.readManifest(repository, reference, options);
  if (top.kind !== 'found') return top;
  let sizeBytes = top.descriptor.size;
  let manifest = parseManifest(top.manifest);
  for (let depth = 1; manifest?.kind === 'index'; depth += 1) {
    if (depth > DEEPEST_INDEX) return refused('indexes within indexes, too deep to be read');
    const child = await registry.readManifest(repository, manifest.child.digest, options);
    if (child.kind === 'failed') return child;
    if (child.kind === 'missing') return refused('an index whose image is not there');
    sizeBytes += child.descriptor.size;
    manifest = parseManifest(child.manifest);
  }
  if (manifest === null) return refused('something that is no image with layers');
  const { artifactType, config, layers } = manifest;
  for (const { size } of [config, ...layers]) sizeBytes += size;
  if (!Number.isSafeInteger(sizeBytes)) return refused('an image of an impossible size');
  return {
    kind: 'opened',
    digest: top.descriptor.digest,
    artifactType,
    layers: layers.filter(({ mediaType }) => !ELSEWHERE.test(mediaType) && mediaType !== EMPTY),
    sizeBytes,
    async read(layer) {
      const blob = await registry.readBlob(repository, layer, options);
      if (blob.kind === 'failed') throw new RegistryFailed(blob);
      if (blob.kind === 'missing') {
        throw new ImageRefused('an image of which a layer is not there');
      }
      return blob.content;
    },
  };
}

const refused = (why: string) => ({ kind: 'refused', why }) as const;
