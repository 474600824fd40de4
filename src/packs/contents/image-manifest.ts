/** The parts of a manifest that reading a pack needs (OCI image specification, "Image Manifest" and "Image Index"). */
import { z } from 'zod';
import { type Descriptor, isDigest } from '../../registry/registry.ts';

/** Container tools stop at 127; each is opened and read in turn. */
const MOST_LAYERS = 200;

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isDigest),
  size: z.int().nonnegative(),
});
const annotations = z.record(z.string(), z.unknown()).nullish().catch(null);
const imageSchema = z.object({
  artifactType: z.string().optional().catch(undefined),
  config: descriptor,
  layers: z.array(descriptor.extend({ annotations })).min(1).max(MOST_LAYERS),
});
const platform = z.object({ os: z.string(), architecture: z.string() }).partial().nullish();
const indexSchema = z.object({ manifests: z.array(descriptor.extend({ platform })).min(1) });

/** One layer of an image, or one file of an artifact. */
export interface Layer extends Descriptor {
  /** The path of the file that the blob is by itself, as `oras push` stores files. */
  readonly title: string | null;
}

export type ParsedManifest =
  | {
      readonly kind: 'image';
      readonly artifactType: string | null;
      readonly config: Descriptor;
      readonly layers: readonly Layer[];
    }
  /** `child`: the image for linux/amd64, or the first one that is for a platform at all. */
  | { readonly kind: 'index'; readonly child: Descriptor };

/** Told by shape, not by media type: those of old images are often wrong. Null: neither. */
export function parseManifest(bytes: Uint8Array): ParsedManifest | null {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  const image = imageSchema.safeParse(json);
  if (image.success) {
    const { artifactType = null, config, layers } = image.data;
    return { kind: 'image', artifactType, config, layers: layers.map(toLayer) };
  }
  const index = indexSchema.safeParse(json);
  if (!index.success) return null;
  const { manifests } = index.data;
  const child =
    manifests.find(
      ({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64',
    ) ??
    // Attestations are listed as images for the platform unknown/unknown.
    manifests.find(({ platform }) => platform?.os !== 'unknown');
  return child === undefined ? null : { kind: 'index', child };
}

function toLayer({
  annotations,
  ...layer
}: Descriptor & { annotations?: Record<string, unknown> | null | undefined }): Layer {
  const title = annotations?.['org.opencontainers.image.title'];
  // A directory that oras packed is a tar like any other layer.
  const isPacked = annotations?.['io.deis.oras.content.unpack'] === 'true';
  return { ...layer, title: typeof title === 'string' && !isPacked ? title : null };
}
