/** The parts of a manifest that reading a pack needs (OCI image specification, "Image Manifest" and "Image Index"). */
import { z } from 'zod';
import { type Descriptor, isDigest } from '../registry/registry.ts';

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isDigest),
  size: z.int().nonnegative(),
});
const imageSchema = z.object({ config: descriptor, layers: z.array(descriptor).min(1).max(200) });
const platform = z.object({ os: z.string(), architecture: z.string() }).partial().nullish();
const indexSchema = z.object({ manifests: z.array(descriptor.extend({ platform })).min(1) });

export type ParsedManifest =
  | { readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[] }
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
  if (image.success) return { kind: 'image', ...image.data };
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
