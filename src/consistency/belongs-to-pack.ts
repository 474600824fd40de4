import { z } from 'zod';
import {
  type Digest,
  isDigest,
  type ManifestOutcome,
  type Registry,
  type RegistryFailure,
  type StoredImage,
} from '../registry/registry.ts';

// OCI Distribution 1.1, "Referrers Tag Schema", and cosign's suffixes after it.
const ABOUT = /^sha256-([a-f0-9]{64})(?:\.|$)/;

const manifestSchema = z.looseObject({
  subject: z.looseObject({ digest: z.string() }).optional(),
  manifests: z.array(z.looseObject({ digest: z.string() })).optional(),
});

/**
 * Whether an image without a row is part of one that has a row: its signature or attestation, or a child of its
 * index. An image that is gone by now belongs to the deletion that took it.
 */
export async function belongsToPack(
  registry: Registry,
  { repository, digest, tags }: StoredImage,
  held: ReadonlySet<Digest>,
): Promise<boolean | RegistryFailure> {
  const isHeld = (value: string | undefined) =>
    value !== undefined && isDigest(value) && held.has(value);
  if (tags.some((tag) => isHeld(`sha256:${ABOUT.exec(tag)?.[1] ?? ''}`))) return true;
  const own = await registry.readManifest(repository, digest);
  if (own.kind === 'failed') return own;
  if (own.kind === 'missing' || isHeld(contentOf(own)?.subject?.digest)) return true;
  for (const parent of held) {
    const index = await registry.readManifest(repository, parent);
    if (index.kind === 'failed') return index;
    const children = index.kind === 'found' ? (contentOf(index)?.manifests ?? []) : [];
    if (children.some((child) => child.digest === digest)) return true;
  }
  return false;
}

function contentOf({ manifest }: Extract<ManifestOutcome, { kind: 'found' }>) {
  try {
    return manifestSchema.safeParse(JSON.parse(Buffer.from(manifest).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
