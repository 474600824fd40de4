/** What a manifest points at (OCI image specification, "Image Manifest" and "Image Index"). */
import { z } from 'zod';
import { type Descriptor, type Digest, isDigest } from './registry.ts';

/** A content descriptor as the specification demands it, with sha256 as the only algorithm. */
export const descriptorSchema = z.looseObject({
  mediaType: z.string().min(1),
  digest: z.string().transform((value, context) => {
    if (isDigest(value)) return value;
    context.addIssue('not a sha256 digest');
    return z.NEVER;
  }),
  size: z.int().nonnegative(),
});

/** The port's limit for a manifest: what the OCI Distribution specification 1.1, "Pushing Manifests", sets. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * Layers that registries need not hold (OCI image specification, "Non-Distributable Layers"; Docker's "foreign"): clients
 * fetch them from the `urls` beside them.
 */
export const ELSEWHERE =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/;

export interface References {
  /** What a registry must hold of it. */
  readonly blobs: readonly Descriptor[];
  /** Layers with `urls` to fetch them from; a registry may hold them, too. */
  readonly elsewhere: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
  /** The manifest that this one is about (a signature's image); it is not needed by it. */
  readonly subject?: Digest;
}

// One shape for manifest and index: what a media type unknown to us points at must be kept as well.
const manifestSchema = z.object({
  config: descriptorSchema.nullish(),
  layers: z.array(descriptorSchema).nullish(),
  blobs: z.array(descriptorSchema).nullish(),
  manifests: z.array(descriptorSchema).nullish(),
  subject: descriptorSchema.nullish(),
});

/** The references of a manifest's bytes, or undefined when they cannot be told. */
export function parseReferences(bytes: Uint8Array): References | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const { data } = manifestSchema.safeParse(json);
  if (data === undefined) return undefined;
  const named = [
    ...(data.config ? [data.config] : []),
    ...(data.layers ?? []),
    ...(data.blobs ?? []),
  ];
  return {
    blobs: named.filter((blob) => !isElsewhere(blob)),
    elsewhere: named.filter(isElsewhere),
    manifests: data.manifests ?? [],
    ...(data.subject && { subject: data.subject.digest }),
  };
}

const isElsewhere = ({ mediaType, urls }: z.output<typeof descriptorSchema>): boolean =>
  ELSEWHERE.test(mediaType) && Array.isArray(urls) && urls.length > 0;
