/** The steps of replacing an image; `replace-pack-image.ts` puts them in order. */
import { recordEvent } from '../audit/record-event.ts';
import { acquireLease, keepLease, type Lease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import type { PackId } from '../model/ids.ts';
import type { ImageOrigin } from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest, RegistryFailure } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { describedBy, leaseLapsed } from './add-pack.ts';
import { beingDeleted } from './being-deleted.ts';
import { invalidReference } from './create-pack-from-image.ts';
import { eventDetails } from './event-details.ts';
import type { Expectation } from './expected-state.ts';
import { lockPack } from './find-pack.ts';
import { heldDigests } from './held-digests.ts';
import type { ReadPackImageOutcome } from './read-pack-image.ts';

/** Every way in which an image is not replaced. */
export type ReplacementRefused = ProblemOf<
  'not_found' | 'validation_failed' | 'pack_being_deleted' | 'registry_unavailable'
>;

/** The image that a pack is to have, and what is told of it. */
export interface NextImage extends Pick<NewImage, 'metadata' | 'digest' | 'sizeBytes'> {
  readonly origin: ImageOrigin;
  /** What a client pulls. */
  readonly ref: string;
  readonly event: AuditEventType;
  /** What the event says besides. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Of the row, once it is locked. */
  readonly expected?: Expectation | undefined;
}

type NewImage = Extract<ReadPackImageOutcome, { kind: 'read' }>;

export interface Swapped {
  readonly kind: 'swapped';
  /** What the swap changed, as it was. */
  readonly before: PackImageFields;
  readonly pack: PackRow;
  /** The old image, where it is ours to purge, and the lease to do it under. */
  readonly purge: {
    readonly digest: Digest;
    readonly held: ReadonlySet<Digest>;
    readonly lease: Lease;
  } | null;
}

type PackImageFields = ReturnType<typeof imageOf>;

/** What another image changes of a pack. */
const imageOf = (pack: PackRow) => ({
  ...describedBy(pack),
  imageOrigin: pack.imageOrigin,
  imageRef: pack.imageRef,
  imageDigest: pack.imageDigest,
  sizeBytes: pack.sizeBytes,
});

/** Points the row at the new image, with the event; gives the lease back. */
export async function swap(
  { database }: World,
  caller: Caller,
  packId: PackId,
  { metadata, digest, sizeBytes, origin, ref, event, details, expected }: NextImage,
  lease: Lease,
): Promise<Swapped | ReplacementRefused> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const pack = await lockPack(em, packId);
    const problem = unusable(caller, packId, pack);
    if (problem !== null || pack === null) {
      return problem ?? { kind: 'not_found', subject: 'pack', id: packId };
    }
    expected?.({ pack });
    if (metadata.name !== pack.name) {
      return invalidReference(`holds the pack ${JSON.stringify(metadata.name)}, not this one`);
    }
    // Without the lease the new image may have been purged since.
    if (!(await releaseLease(em, lease))) return leaseLapsed;
    const before = imageOf(pack);
    if (digest === before.imageDigest) return { kind: 'swapped', before, pack, purge: null };
    em.assign(pack, {
      ...describedBy(metadata),
      imageOrigin: origin,
      imageRef: ref,
      imageDigest: digest,
      sizeBytes,
    });
    recordEvent(em, caller, event, packId, {
      ...eventDetails(pack),
      previousDigest: before.imageDigest,
      ...details,
    });
    await em.flush();
    const old = before.imageDigest;
    if (before.imageOrigin !== 'UPLOAD' || old === null) {
      return { kind: 'swapped', before, pack, purge: null };
    }
    const held = await heldDigests(em, pack.repository);
    const purgeLease = held.has(old) ? null : await acquireLease(em, pack.repository);
    const purge = purgeLease === null ? null : { digest: old, held, lease: purgeLease };
    return { kind: 'swapped', before, pack, purge };
  });
}

/** Purges the old image. A failure: it is there as before. Null: it is gone, or at least may be. */
export async function purgeOld(
  { database, registry, log }: World,
  { repository }: PackRow,
  { digest, held, lease }: NonNullable<Swapped['purge']>,
): Promise<RegistryFailure | null> {
  using kept = keepLease(database, lease);
  const purged = await registry.purge(repository, digest, { ...kept, held });
  if (purged.kind !== 'failed') return null;
  // A failure may be no more than an answer that was lost.
  const left = await registry.readManifest(repository, digest, { signal: kept.signal });
  if (left.kind === 'found') return purged;
  if (left.kind === 'failed') log.warn({ repository, digest }, 'image left behind');
  return null;
}

/** Points the row back after a purge that failed, with an event of its own. */
export async function putBack(
  { database, log }: World,
  caller: Caller,
  { before, pack }: Swapped,
  lease: Lease,
  failure: RegistryFailure,
): Promise<ReplacementRefused> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const current = await lockPack(em, pack.id);
    await releaseLease(em, lease);
    // A change or deletion of the pack meanwhile was made with the new image in view.
    if (current === null || current.imageDigest !== pack.imageDigest) {
      log.warn({ repository: pack.repository, digest: before.imageDigest }, 'image left behind');
    } else {
      em.assign(current, before);
      recordEvent(em, caller, 'PACK_IMAGE_REPLACED', pack.id, {
        ...eventDetails(current),
        previousDigest: pack.imageDigest,
        undoneBecause: failure.reason,
      });
    }
    // A purge removes what refers to the image first, and some registries untag it before they delete it.
    return { kind: 'registry_unavailable', failure, aftermath: 'old_image_untagged' };
  });
}

/** What stands against replacing the image of a pack, or null. */
export function unusable(
  caller: Caller,
  packId: PackId,
  pack: PackRow | null,
): ProblemOf<'not_found' | 'pack_being_deleted'> | null {
  if (pack === null || pack.org !== caller.orgId) {
    return { kind: 'not_found', subject: 'pack', id: packId };
  }
  return pack.status === 'ACTIVE' ? null : beingDeleted(caller, pack);
}
