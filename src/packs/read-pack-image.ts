import { type Invalid, invalid } from '../field-problem.ts';
import type { Parser } from '../parser-thread.ts';
import {
  type CallOptions,
  type Digest,
  failureBehind,
  type Registry,
  type RegistryFailure,
  type Repository,
  type Tag,
} from '../registry/registry.ts';
import { readPackYaml } from './archive/read-pack-yaml.ts';
import type { Layer } from './contents/image-manifest.ts';
import { faultOfLayer, ImageRefused } from './contents/image-refused.ts';
import { type ByteAllowance, layerEntries } from './contents/layer-entries.ts';
import { type OpenedImage, openImage } from './contents/open-image.ts';
import { LARGEST_PACK_YAML, type PackMetadata } from './pack-metadata.ts';

export interface ReadImageOptions extends CallOptions {
  /** How many unpacked bytes of all layers together may be read in search of pack.yaml. */
  readonly maxUnpackedBytes: number;
  readonly parserThread: Parser;
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
  | Invalid
  | RegistryFailure;

export const NO_SUCH_IMAGE = 'names an image that is not there';

/** Reads what pack an existing image holds: its pack.yaml, which the uppermost layer that speaks of it decides on. */
export async function readPackImage(
  registry: Pick<Registry, 'readManifest' | 'readBlob'>,
  repository: Repository,
  reference: Tag | Digest,
  options: ReadImageOptions,
): Promise<ReadPackImageOutcome> {
  const image = await openImage(registry, repository, reference, options);
  if (image.kind === 'failed') return image;
  if (image.kind === 'missing') return invalid('imageRef', NO_SUCH_IMAGE);
  if (image.kind === 'refused') return invalid('imageRef', `names ${image.why}`);
  const yaml = await findPackYaml(image, { left: options.maxUnpackedBytes });
  if (yaml.kind !== 'found') return yaml;
  const parsed = await readPackYaml(options.parserThread, yaml.bytes);
  if (parsed.kind === 'invalid') return parsed;
  const { digest, sizeBytes } = image;
  return { kind: 'read', metadata: parsed.metadata, digest, sizeBytes };
}

/** What one layer makes of pack.yaml; null: nothing. */
type Verdict = { readonly kind: 'found'; readonly bytes: Uint8Array } | Invalid | null;

async function findPackYaml(
  image: OpenedImage,
  allowance: ByteAllowance,
): Promise<NonNullable<Verdict> | RegistryFailure> {
  for (const layer of image.layers.toReversed()) {
    try {
      const verdict = await packYamlOf(image, layer, allowance);
      if (verdict !== null) return verdict;
    } catch (error) {
      if (error instanceof ImageRefused) return invalid('imageRef', `names ${error.message}`);
      const failure = failureBehind(error);
      if (failure !== null) return failure;
      const fault = faultOfLayer(error);
      if (fault === null) throw error;
      return unreadable(fault);
    }
  }
  return NONE;
}

async function packYamlOf(
  image: OpenedImage,
  layer: Layer,
  allowance: ByteAllowance,
): Promise<Verdict> {
  let own: Verdict = null;
  let hidesLower = false;
  // To the layer's end: of a name that stands in it twice the last one counts.
  for await (const entry of layerEntries(layer, await image.read(layer), allowance)) {
    const { kind, path } = entry;
    if (kind === 'opaque') hidesLower ||= path === '';
    else if (path !== 'pack.yaml') continue;
    else if (kind === 'whiteout') hidesLower = true;
    else if (kind === 'directory') own = unreadable('it is a directory');
    else if (kind === 'other') own = unreadable(`it is ${entry.what}`);
    else if (entry.size > LARGEST_PACK_YAML) {
      own = unreadable(`it is larger than ${LARGEST_PACK_YAML} bytes`);
    } else {
      const pieces: Uint8Array[] = [];
      for await (const piece of entry.content()) pieces.push(piece);
      own = { kind: 'found', bytes: Buffer.concat(pieces) };
    }
  }
  return own ?? (hidesLower ? NONE : null);
}

const NONE = invalid('imageRef', 'names an image without a pack.yaml at its top');

const unreadable = (fault: string): Invalid =>
  invalid('pack.yaml', `cannot be read from the image's layer: ${fault}`);
