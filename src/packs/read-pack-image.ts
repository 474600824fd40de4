import type { FieldProblem } from '../field-problem.ts';
import {
  type CallOptions,
  type Descriptor,
  type Digest,
  failureBehind,
  type Registry,
  type RegistryFailure,
  type Repository,
  type Tag,
} from '../registry/registry.ts';
import { type LayerOutcome, readPackYamlFromLayer } from './archive/read-layer.ts';
import { parseManifest } from './image-manifest.ts';
import type { PackMetadata } from './pack-metadata.ts';

export interface ReadImageOptions extends CallOptions {
  /** How many unpacked bytes of all layers together may be read in search of pack.yaml. */
  readonly maxUnpackedBytes: number;
}

export type ReadPackImageOutcome =
  | {
      readonly kind: 'read';
      readonly metadata: PackMetadata;
      /** Of the manifest or index that the reference stands for. */
      readonly digest: Digest;
      /** Manifests, config and layers of one platform: what a client downloads. */
      readonly sizeBytes: number;
    }
  | { readonly kind: 'invalid'; readonly fields: readonly FieldProblem[] }
  | RegistryFailure;

export const NO_SUCH_IMAGE = 'names an image that is not there';

/** Reads what pack an existing image holds: its pack.yaml is looked for from the last layer backwards. */
export async function readPackImage(
  registry: Registry,
  repository: Repository,
  reference: Tag | Digest,
  options: ReadImageOptions,
): Promise<ReadPackImageOutcome> {
  const top = await registry.readManifest(repository, reference, options);
  if (top.kind === 'failed') return top;
  if (top.kind === 'missing') return invalid(NO_SUCH_IMAGE);
  let manifest = parseManifest(top.manifest);
  let sizeBytes = top.descriptor.size;
  if (manifest?.kind === 'index') {
    const child = await registry.readManifest(repository, manifest.child.digest, options);
    if (child.kind === 'failed') return child;
    if (child.kind === 'missing') return invalid('names an index whose image is not there');
    manifest = parseManifest(child.manifest);
    sizeBytes += child.descriptor.size;
  }
  if (manifest?.kind !== 'image') return invalid('names something that is no image with layers');
  const { config, layers } = manifest;
  for (const { size } of [config, ...layers]) sizeBytes += size;
  if (!Number.isSafeInteger(sizeBytes)) return invalid('names an image of an impossible size');
  let { maxUnpackedBytes } = options;
  for (const layer of layers.toReversed()) {
    const found = await readLayer(registry, repository, layer, { ...options, maxUnpackedBytes });
    if (found.kind === 'failed' || found.kind === 'invalid') return found;
    // An image may name the same small layer that unpacks to much two hundred times.
    if (found.kind === 'missing') maxUnpackedBytes -= found.unpackedBytes;
    if (found.kind === 'valid') {
      return { kind: 'read', metadata: found.metadata, digest: top.descriptor.digest, sizeBytes };
    }
  }
  return invalid('names an image without a pack.yaml at its top');
}

async function readLayer(
  registry: Registry,
  repository: Repository,
  layer: Descriptor,
  options: ReadImageOptions,
): Promise<LayerOutcome | RegistryFailure> {
  const blob = await registry.readBlob(repository, layer, options);
  if (blob.kind === 'failed') return blob;
  if (blob.kind === 'missing') return invalid('names an image of which a layer is not there');
  try {
    return await readPackYamlFromLayer(blob.content, options);
  } catch (error) {
    const failure = failureBehind(error);
    if (failure === null) throw error;
    return failure;
  }
}

const invalid = (message: string) =>
  ({ kind: 'invalid', fields: [{ path: 'imageRef', message }] }) as const;
