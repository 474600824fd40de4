/**
 * Gives an uploaded pack an image that is made here, in the order of `replace-pack-image.ts`:
 *
 * 1. Take the repository's lease: two changes at once happen one after the other, each on what the other left.
 * 2. Where the version, and so the tag, stays: put another tag on the old image, so that it is never without one.
 * 3. Push the new image, which takes the tag of its version.
 * 4. Point the row at it, with the event, in one transaction. From here on the old image may go.
 * 5. Purge the old image, tags included, where no other pack points at it.
 *
 * The row never points at an image that may be gone. Whatever a crash or a failure leaves has a tag and no pack, so
 * the consistency check names it; the next change of the pack goes through all steps again.
 */
import {
  type KeptLease,
  keepLease,
  type Lease,
  releaseLease,
} from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { invalidField } from '../input.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import { packIds } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import type { PackImage } from './archive/build-image.ts';
import { awaitLease } from './await-lease.ts';
import { findPack } from './find-pack.ts';
import { locationIn } from './image-location.ts';
import type { PackMetadata } from './pack-metadata.ts';
import { purgeOld, type ReplacementRefused, swap, unusable } from './replacement-steps.ts';
import { pushBeside, pushIfGone, takeBack } from './revision-pushes.ts';

/** Every way in which what is in a pack is not changed. */
export type RevisionRefused = ReplacementRefused | ProblemOf<'pack_not_editable'>;

export interface RevisedPack {
  readonly kind: 'revised';
  readonly pack: PackRow;
}

/** Gives the pack the image that was made; the same image again changes nothing, unless the registry has lost it. */
export type Publish = (metadata: PackMetadata, image: PackImage) => Promise<Revised>;
type Revised = RevisedPack | RevisionRefused;

export interface Revision {
  readonly event: AuditEventType;
  readonly details?: Readonly<Record<string, unknown>>;
  /** What stands against changing this pack so, or null. */
  readonly problem: (pack: PackRow) => ProblemOf<'pack_not_editable'> | null;
}

/** What stands against any change of what is in a pack. */
export const notUploaded = (pack: PackRow): ProblemOf<'pack_not_editable'> | null =>
  pack.imageOrigin === 'UPLOAD'
    ? null
    : { kind: 'pack_not_editable', pack, because: 'image_origin' };

/** The pack that a caller wants to change, where that is allowed. */
export async function revisable(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  id: string,
  problemOf: Revision['problem'],
): Promise<{ readonly kind: 'revisable'; readonly pack: PackRow } | RevisionRefused> {
  const packId = packIds.parse(id);
  const pack = packId === null ? null : await findPack(database, caller, packId);
  if (packId === null || pack === null) return { kind: 'not_found', subject: 'pack', id };
  const problem = unusable(caller, packId, pack) ?? problemOf(pack);
  return problem ?? { kind: 'revisable', pack };
}

/**
 * Changes what is in a pack.
 * @param make makes the new image of the pack as it is when nobody else can change it, and publishes it
 */
export async function revisePack(
  world: World,
  caller: Caller,
  { id, repository }: PackRow,
  revision: Revision,
  make: (pack: PackRow, publish: Publish) => Promise<Revised>,
): Promise<Revised> {
  const leased = await awaitLease(world, repository);
  if (leased.kind !== 'leased') return leased;
  const { lease } = leased;
  using kept = keepLease(world.database, lease);
  try {
    const current = await revisable(world, caller, id, revision.problem);
    if (current.kind !== 'revisable') return current;
    const { pack } = current;
    return await make(pack, (metadata, image) =>
      publish(world, caller, pack, revision, metadata, image, lease, kept),
    );
  } finally {
    // Given back before where the row was changed; then this does nothing.
    await releaseLease(world.database, lease);
  }
}

async function publish(
  world: World,
  caller: Caller,
  pack: PackRow,
  { event, details }: Revision,
  metadata: PackMetadata,
  image: PackImage,
  lease: Lease,
  kept: KeptLease,
): Promise<Revised> {
  if (metadata.name !== pack.name) {
    const message = `must stay ${JSON.stringify(pack.name)}: upload a pack of another name as a new one`;
    return invalidField('pack.yaml.name', message);
  }
  const { digest } = image.descriptor;
  const location = locationIn(world.registry, pack.repository, metadata.version);
  if (digest === pack.imageDigest) {
    const failure = await pushIfGone(world, location, image, kept);
    return failure === null ? { kind: 'revised', pack } : { kind: 'registry_unavailable', failure };
  }
  const pushed = await pushBeside(world, pack, location, image, kept);
  if (pushed !== null) return pushed;
  const { sizeBytes } = image;
  const next = { metadata, digest, sizeBytes, origin: 'UPLOAD', ref: location.imageRef } as const;
  const swapped = await swap(
    world,
    caller,
    pack.id,
    { ...next, event, ...(details && { details }) },
    lease,
  );
  if (swapped.kind !== 'swapped') {
    // Without the lease the image is not ours any more.
    if (swapped.kind === 'registry_unavailable') return { ...swapped, aftermath: 'image_stored' };
    await takeBack(world, pack, location, digest, kept);
    return swapped;
  }
  const { purge } = swapped;
  if (purge !== null) {
    const failure = await purgeOld(world, pack, purge);
    if (failure !== null) {
      world.log.warn({ repository: pack.repository, digest: purge.digest }, 'image left behind');
    }
    await releaseLease(world.database, purge.lease);
  }
  return { kind: 'revised', pack: swapped.pack };
}
