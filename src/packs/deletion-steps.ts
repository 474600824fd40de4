/** The database's part of a deletion; `delete-pack.ts` puts the steps in order. */

import { recordEvent } from '../audit/record-event.ts';
import { LEASE_TTL_MS, type Lease, releaseLease } from '../database/repository-lease.ts';
import { actorOf, type Caller } from '../identity/caller.ts';
import { newEventId, newUuid, type PackId } from '../model/ids.ts';
import { type PackRow, packRows } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest, RegistryFailure } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { LOCK, MARK, REMOVE_PURGED } from './deletion-statements.ts';
import { eventDetails } from './event-details.ts';
import { lockPack } from './find-pack.ts';
import type { ImageDisposition } from './image-disposition.ts';

export interface DeletedPack {
  readonly kind: 'deleted';
  readonly id: PackId;
  readonly name: string;
  readonly deletedAt: Date;
  readonly image: ImageDisposition;
  /** Tags of the image that the registry keeps and that nobody can remove. */
  readonly remainingTags: readonly string[];
}

/** The pack is DELETING and its repository is ours until the lease lapses. */
export interface MarkedPack {
  readonly kind: 'marked';
  readonly pack: PackRow;
  readonly digest: Digest;
  /** Digests in the same repository that other packs point at. */
  readonly held: ReadonlySet<Digest>;
  readonly lease: Lease;
}

/** Somebody else is writing to the repository. */
interface Busy {
  readonly kind: 'busy';
}

/** What became of the image of a pack that was marked. */
export type Purged = Pick<DeletedPack, 'image' | 'remainingTags'>;

/** The row changed between two looks at it: look again. */
export interface Changed {
  readonly kind: 'changed';
}

/** What `LOCK` selects. */
interface Locked {
  readonly pack: readonly unknown[];
  readonly granted: number | null;
}

/**
 * In one transaction: the row is locked, the repository's lease taken, the row found free and set to DELETING.
 * @param unchangedSince the row's last change, where it must not have changed again
 */
export async function mark(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  id: PackId,
  unchangedSince: Date | null,
): Promise<MarkedPack | Busy | Changed> {
  const [holder, sentAt] = [newUuid(), performance.now()];
  const [[locked], [marked]] = await database.transact<[Locked, { readonly held: Digest[] }]>([
    [LOCK, [id, caller.orgId, holder, LEASE_TTL_MS, unchangedSince?.toISOString() ?? null]],
    [MARK, [...rowAndEvent(caller, id, new Date()), holder]],
  ]);
  if (locked === undefined) return { kind: 'changed' };
  if (locked.granted === null) return { kind: 'busy' };
  const pack = packRows.whole.ofArray(locked.pack);
  if (marked === undefined || pack.imageDigest === null) return { kind: 'changed' };
  // What was waited for the row's lock is not taken off the lease, which came after it.
  const confirmedAt = sentAt + locked.granted - LEASE_TTL_MS;
  const lease = { repository: pack.repository, holder, confirmedAt };
  const held = new Set(marked.held);
  return { kind: 'marked', pack, digest: pack.imageDigest, held, lease };
}

/** The first seven parameters of `MARK` and of `REMOVE_PURGED`: which row, and what its event says. */
const rowAndEvent = (caller: Caller, id: PackId, at: Date): unknown[] => [
  id,
  caller.orgId,
  newEventId(at),
  actorOf(caller),
  id,
  caller.requestId,
  at.toISOString(),
];

/** The purge is done: the row goes, the event comes and the lease ends, in one statement. */
export async function remove(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  { pack, lease }: MarkedPack,
  purged: Purged,
): Promise<DeletedPack | ProblemOf<'not_found'>> {
  const deletedAt = new Date();
  const { image, remainingTags } = purged;
  const [removed] = await database.query(REMOVE_PURGED, [
    ...rowAndEvent(caller, pack.id, deletedAt),
    image,
    lease.holder,
    remainingTags,
  ]);
  // Nothing removed: a call that took over, after our lease had lapsed, was faster.
  if (removed === undefined) return { kind: 'not_found', subject: 'pack', id: pack.id };
  return { kind: 'deleted', id: pack.id, name: pack.name, deletedAt, image, remainingTags };
}

/** The purge failed: the row stays, and says why. */
export async function recordFailure(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  { pack, lease }: MarkedPack,
  failure: RegistryFailure,
): Promise<ProblemOf<'registry_cleanup_failed' | 'not_found'>> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const kept = await lockPack(em, pack.id);
    await releaseLease(em, lease);
    if (kept === null) return { kind: 'not_found', subject: 'pack', id: pack.id };
    const { reason, detail } = failure;
    const attempts = kept.cleanupAttempts + 1;
    em.assign(kept, {
      status: 'CLEANUP_FAILED',
      cleanupReason: reason,
      cleanupMessage: detail,
      cleanupFailedAt: new Date(),
      cleanupAttempts: attempts,
    });
    recordEvent(em, caller, 'PACK_CLEANUP_FAILED', pack.id, {
      ...eventDetails(pack),
      reason,
      attempts,
    });
    return { kind: 'registry_cleanup_failed', pack: kept, failure, attempts };
  });
}
