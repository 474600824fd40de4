import { z } from 'zod';
import {
  type Digest,
  isDigest,
  type ManifestOutcome,
  type Registry,
  type RegistryFailure,
  type Repository,
  type StoredImage,
  type Tag,
} from '../registry/registry.ts';

// OCI Distribution 1.1, "Referrers Tag Schema", and cosign's suffixes after it; whatever the suffix, because what may
// be about a pack is better left alone.
const ABOUT = /^sha256-([a-f0-9]{64})(?:\.|$)/;

const descriptor = z.looseObject({ digest: z.string() });
const manifestSchema = z.looseObject({
  subject: descriptor.optional(),
  manifests: z.array(descriptor).optional(),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** The digests that packs have in a repository, and with each index the images that it is made of. */
export async function withChildren(
  registry: Registry,
  repository: Repository,
  held: ReadonlySet<Digest>,
): Promise<ReadonlySet<Digest> | RegistryFailure> {
  const all = new Set(held);
  // A set is iterated over what is added meanwhile, too.
  for (const digest of all) {
    const read = await registry.readManifest(repository, digest);
    if (read.kind === 'failed') return read;
    for (const child of manifestOf(read)?.manifests ?? []) {
      if (isDigest(child.digest)) all.add(child.digest);
    }
  }
  return all;
}

/**
 * Whether an image without a row is about one that has a row: its signature or attestation, the signature of that
 * attestation, and so on. An image that is gone by now belongs to the deletion that took it.
 * @param kept what packs have, children included
 * @param tagsOf the tags of every image of the repository
 */
export async function belongsToPack(
  registry: Registry,
  { repository, digest }: StoredImage,
  kept: ReadonlySet<Digest>,
  tagsOf: ReadonlyMap<Digest, readonly Tag[]>,
): Promise<boolean | RegistryFailure> {
  // A set, because tags can refer to each other in a circle.
  const about = new Set([digest]);
  for (const one of about) {
    if (kept.has(one)) return true;
    const read = await registry.readManifest(repository, one);
    if (read.kind === 'failed') return read;
    if (read.kind === 'missing' && one === digest) return true;
    const named = (tagsOf.get(one) ?? []).map((tag) => `sha256:${ABOUT.exec(tag)?.[1] ?? ''}`);
    const subject = manifestOf(read)?.subject?.digest ?? '';
    for (const next of [...named, subject].filter(isDigest)) about.add(next);
  }
  return false;
}

/** What a manifest says of itself, as far as it is one. */
export function manifestOf(read: ManifestOutcome) {
  if (read.kind !== 'found') return undefined;
  try {
    return manifestSchema.safeParse(JSON.parse(Buffer.from(read.manifest).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
