/**
 * Gives a pack another image of its repository, in this order:
 *
 * 1. Read the new image, under the repository's lease.
 * 2. Point the row at it, with the event, in one transaction. From here on the old image may go.
 * 3. Purge the old image, where it was uploaded here and no other pack points at it.
 * 4. Where the purge failed and the registry does not say that the old image is gone: point the row back, with
 *    an event of its own, and answer that nothing was changed.
 *
 * The row never points at an image that we have begun to remove. A crash between 2 and 3 leaves the old image
 * without a pack; the consistency check finds it.
 */
import { recordEvent } from '../audit/record-event.ts';
import { acrossOrgs } from '../database/cross-org.ts';
import { query } from '../database/database.ts';
import { acquireLease, keepLease, type Lease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds, uuidOf } from '../ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest, RegistryFailure } from '../registry/registry.ts';
import type { Services } from '../services.ts';
import { describedBy, leaseLapsed } from './add-pack.ts';
import { awaitLease } from './await-lease.ts';
import { findDying, readUnderLease, refused } from './create-pack-from-image.ts';
import { findPack } from './find-pack.ts';
import { type ImageSource, openImageSource } from './image-source.ts';
import { Pack } from './pack.entity.ts';
import type { PackRow } from './pack-row.ts';
import type { ReadPackImageOutcome } from './read-pack-image.ts';

export interface ReplacePackImageInput {
  /** As the caller sent it; what is no pack id is not found. */
  readonly id: string;
  readonly imageRef: string;
}

export type ReplacePackImageOutcome =
  | { readonly kind: 'image_replaced'; readonly pack: PackRow }
  | ProblemOf<'not_found' | 'validation_failed' | 'pack_being_deleted' | 'registry_unavailable'>;

type NewImage = Extract<ReadPackImageOutcome, { kind: 'read' }>;

interface Swapped {
  readonly kind: 'swapped';
  readonly before: PackRow;
  readonly pack: PackRow;
  /** The old image, where it is ours to purge, and the lease to do it under. */
  readonly purge: {
    readonly digest: Digest;
    readonly held: ReadonlySet<Digest>;
    readonly lease: Lease;
  } | null;
}

/** Gives a pack of the caller's org another image; the id stays. The same image again changes nothing. */
export async function replacePackImage(
  services: Services,
  caller: Caller,
  { id, imageRef }: ReplacePackImageInput,
): Promise<ReplacePackImageOutcome> {
  const packId = packIds.parse(id);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id };
  const pack = await findPack(services.database, caller, packId);
  const problem = unusable(caller, packId, pack);
  if (problem !== null) return problem;
  const opened = openImageSource(services, imageRef);
  if (typeof opened === 'string') return refused(opened);
  await using source = opened;
  if (source.place !== pack?.repository) {
    return refused(`must be in the pack's own repository, ${pack?.repository}`);
  }
  const leased = await awaitLease(services, source.place);
  if (leased.kind !== 'leased') return leased;
  const outcome = await replace(services, caller, packId, source, leased.lease);
  if (outcome.kind !== 'image_replaced') {
    await releaseLease(services.database.acrossOrgs(), leased.lease);
  }
  return outcome;
}

async function replace(
  services: Services,
  caller: Caller,
  packId: PackId,
  source: ImageSource,
  lease: Lease,
): Promise<ReplacePackImageOutcome> {
  const image = await readUnderLease(services, source, lease);
  if (image.kind === 'failed') return { kind: 'registry_unavailable', failure: image };
  if (image.kind === 'invalid') return { kind: 'validation_failed', fields: image.fields };
  const dying = await findDying(services, caller, source.place, image.digest);
  if (dying !== null) return dying;
  const swapped = await swap(services, caller, packId, source, image, lease);
  if (swapped.kind !== 'swapped') return swapped;
  const { pack, purge } = swapped;
  if (purge !== null) {
    const failure = await purgeOld(services, pack, purge);
    if (failure !== null) return putBack(services, caller, swapped, purge.lease, failure);
    await releaseLease(services.database.acrossOrgs(), purge.lease);
  }
  return { kind: 'image_replaced', pack };
}

/** Step 2. */
async function swap(
  { database }: Services,
  caller: Caller,
  packId: PackId,
  { place, imageRef }: ImageSource,
  { metadata, digest, sizeBytes }: NewImage,
  lease: Lease,
): Promise<Swapped | Exclude<ReplacePackImageOutcome, { kind: 'image_replaced' }>> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const before = await findPack(em, caller, packId, 'update');
    const problem = unusable(caller, packId, before);
    if (problem !== null || before === null) {
      return problem ?? { kind: 'not_found', subject: 'pack', id: packId };
    }
    if (metadata.name !== before.name) {
      return refused(`holds the pack ${JSON.stringify(metadata.name)}, not this one`);
    }
    // Without the lease the new image may have been purged since.
    if (!(await releaseLease(em, lease))) return leaseLapsed;
    if (digest === before.imageDigest) {
      return { kind: 'swapped', before, pack: before, purge: null };
    }
    await em.nativeUpdate(
      Pack,
      { id: uuidOf(packId), org: uuidOf(caller.orgId) },
      {
        ...describedBy(metadata),
        imageOrigin: 'IMAGE_REF',
        imageRef,
        imageDigest: digest,
        sizeBytes,
        updatedAt: new Date(),
      },
    );
    recordEvent(em, caller, 'PACK_IMAGE_REPLACED', packId, {
      name: before.name,
      version: metadata.version,
      imageRef,
      imageDigest: digest,
      previousDigest: before.imageDigest,
    });
    await em.flush();
    const pack = await findPack(em, caller, packId);
    if (pack === null) throw new Error('a pack just changed is not there');
    const old = before.imageDigest;
    if (before.imageOrigin !== 'UPLOAD' || old === null) {
      return { kind: 'swapped', before, pack, purge: null };
    }
    const holders = await query<{ image_digest: Digest }>(
      em,
      `select ${acrossOrgs('image shared')} image_digest from packs
       where repository = $1 and image_digest is not null`,
      [place],
    );
    const held = new Set(holders.map(({ image_digest }) => image_digest));
    const purgeLease = held.has(old) ? null : await acquireLease(em, place);
    const purge = purgeLease === null ? null : { digest: old, held, lease: purgeLease };
    return { kind: 'swapped', before, pack, purge };
  });
}

/** Step 3. Null: the old image is gone. */
async function purgeOld(
  { database, registry }: Services,
  { repository }: PackRow,
  { digest, held, lease }: NonNullable<Swapped['purge']>,
): Promise<RegistryFailure | null> {
  using kept = keepLease(database, lease);
  const options = { held, signal: kept.signal, mayWrite: kept.isHeld };
  const purged = await registry.purge(repository, digest, options);
  if (purged.kind !== 'failed') return null;
  // A failure may be no more than an answer that was lost.
  const left = await registry.readManifest(repository, digest, { signal: kept.signal });
  return left.kind === 'missing' ? null : purged;
}

/** Step 4. */
async function putBack(
  { database, log }: Services,
  caller: Caller,
  { before, pack }: Swapped,
  lease: Lease,
  failure: RegistryFailure,
): Promise<ReplacePackImageOutcome> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const changed = await em.nativeUpdate(
      Pack,
      // Whoever changed or deleted the pack meanwhile did so knowing the new image.
      { id: uuidOf(pack.id), org: uuidOf(caller.orgId), imageDigest: pack.imageDigest },
      {
        ...describedBy(before),
        imageOrigin: before.imageOrigin,
        imageRef: before.imageRef,
        imageDigest: before.imageDigest,
        sizeBytes: before.sizeBytes,
        updatedAt: new Date(),
      },
    );
    await releaseLease(em, lease);
    if (changed === 0) {
      log.warn({ repository: before.repository, digest: before.imageDigest }, 'image left behind');
    } else {
      recordEvent(em, caller, 'PACK_IMAGE_REPLACED', pack.id, {
        name: before.name,
        version: before.version,
        imageRef: before.imageRef,
        imageDigest: before.imageDigest,
        previousDigest: pack.imageDigest,
        undoneBecause: failure.reason,
      });
    }
    return { kind: 'registry_unavailable', failure };
  });
}

function unusable(
  caller: Caller,
  packId: PackId,
  pack: PackRow | null,
): ProblemOf<'not_found' | 'pack_being_deleted'> | null {
  if (pack === null || pack.orgId !== caller.orgId) {
    return { kind: 'not_found', subject: 'pack', id: packId };
  }
  return pack.status === 'ACTIVE' ? null : { kind: 'pack_being_deleted', packId, name: pack.name };
}
