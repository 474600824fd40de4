/** What a revision of a pack does in the registry; `revise-pack.ts` puts it in order. */
import type { KeptLease } from '../database/repository-lease.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import { type Digest, isTag, type RegistryFailure } from '../registry/registry.ts';
import type { World } from '../world.ts';
import type { PackImage } from './archive/build-image.ts';
import { type ImageLocation, locationIn } from './image-location.ts';
import { purgeUnheld } from './purge-unheld.ts';

/** Brings an image back that the pack has and the registry has lost; anything else that is there stays as it is. */
export async function pushIfGone(
  { registry }: World,
  { repository, tag }: ImageLocation,
  image: PackImage,
  kept: KeptLease,
): Promise<RegistryFailure | null> {
  const found = await registry.readManifest(repository, image.descriptor.digest, kept);
  if (found.kind !== 'missing') return found.kind === 'failed' ? found : null;
  const pushed = await registry.push(repository, tag, image, kept);
  return pushed.kind === 'failed' ? pushed : null;
}

/** Pushes the new image, while the old one keeps a tag; a failure: the registry is as it was, as far as it lets us. */
export async function pushBeside(
  world: World,
  pack: PackRow,
  location: ImageLocation,
  image: PackImage,
  kept: KeptLease,
): Promise<ProblemOf<'registry_unavailable'> | null> {
  const { repository, tag } = location;
  const isTagMoved = movesTag(world, pack, location);
  if (isTagMoved) {
    const failure = await tagOld(world, pack, spareTag(pack.imageDigest), kept);
    if (failure !== null) return { kind: 'registry_unavailable', failure };
  }
  const pushed = await world.registry.push(repository, tag, image, kept);
  if (pushed.kind !== 'failed') return null;
  // A failure may be no more than an answer that was lost.
  await takeBack(world, pack, location, image.descriptor.digest, kept);
  const problem = { kind: 'registry_unavailable', failure: pushed } as const;
  // The spare tag stays.
  return isTagMoved ? { ...problem, aftermath: 'image_stored' } : problem;
}

const movesTag = ({ registry }: World, { repository, version }: PackRow, { tag }: ImageLocation) =>
  locationIn(registry, repository, version).tag === tag;

/** What the old image is called between two versions of the same name; no version begins like this. */
const spareTag = (digest: Digest | null): string => `replaced-${digest?.slice(-12)}`;

/** Purges what was pushed for nothing, and gives its tag back to the image that the pack has. */
export async function takeBack(
  world: World,
  pack: PackRow,
  location: ImageLocation,
  digest: Digest,
  kept: KeptLease,
): Promise<void> {
  const { repository, tag } = location;
  const purged = await purgeUnheld(world, repository, digest, kept);
  // An image that was not purged keeps the tag of its version, by which the consistency check finds it.
  const failure =
    purged.kind === 'failed'
      ? purged
      : movesTag(world, pack, location)
        ? await tagOld(world, pack, tag, kept)
        : null;
  if (failure !== null) world.log.warn({ repository, digest }, 'image left behind');
}

/** Puts a tag on the image that the pack has; one that is gone gets none. */
async function tagOld(
  { registry }: World,
  { repository, imageDigest }: Pick<PackRow, 'repository' | 'imageDigest'>,
  tag: string,
  kept: KeptLease,
): Promise<RegistryFailure | null> {
  if (imageDigest === null || !isTag(tag)) return null;
  const old = await registry.readManifest(repository, imageDigest, kept);
  if (old.kind === 'failed') return old;
  if (old.kind === 'missing') return null;
  // What it needs is in the repository already.
  const tagged = await registry.push(repository, tag, { ...old, blobs: [] }, kept);
  return tagged.kind === 'failed' ? tagged : null;
}
