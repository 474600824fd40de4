/**
 * Deletion, as the contract promises it ("What deletion promises"), in steps on the row itself:
 *
 * 1. *Look*: is there such a pack, does a role hold it, and is its image ours to purge?
 * 2. An image that is not: the row goes and its audit event comes in one statement, which asks once more.
 * 3. Otherwise *mark*: lock the row, take the repository's lease, ask once more, set DELETING. From here on the pack
 *    cannot be attached, cloned, replaced or shared. Meanwhile the registry is read for the next step.
 * 4. *Purge* the image with no transaction open.
 * 5. *Remove* the row with its audit event, also where the registry has shown that the image is needed by an index of
 *    somebody else and was kept; or, where the purge failed, write down why and keep the row.
 *
 * A crash after any step leaves a row that the next call finishes: every step may be repeated.
 *
 * Why no interleaving loses:
 *
 * - *An attachment* locks the pack's row `for share` and looks at its status. Either it commits before step 2 or 3 has
 *   the row's lock, which then sees the role; or it waits, and finds the row DELETING or gone. Should one slip
 *   through, the foreign key refuses it.
 * - *Another deletion* of the pack waits for the row's lock, then for the lease, and looks again: it finds the row
 *   gone. Where it finds the lease lapsed, because this process stood still, it takes over, and we stop writing before
 *   that: `mayWrite` ends earlier than the lease. The call that removes the row first writes the event; the other finds
 *   nothing to remove.
 * - *A pack made of the same image*, by upload, clone or reference, needs the lease of the same repository until its row
 *   is committed: either step 3 sees that row and keeps the image, or the image is gone before it is looked for.
 *   What is read ahead decides nothing of that: which digests packs hold is read under the lease.
 * - *Locks* are taken in one order, the pack's row and then the lease's.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { keepLease, LEASE_TTL_MS } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { packIds } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import {
  isTag,
  type PurgeOutcome,
  type ReadAhead,
  type RegistryFailure,
} from '../registry/registry.ts';
import type { World } from '../world.ts';
import {
  type DeletedPack,
  type MarkedPack,
  mark,
  type Purged,
  recordFailure,
  remove,
} from './deletion-steps.ts';
import type { Expectation } from './expected-state.ts';
import { tagOf } from './image-location.ts';
import { removeUnmanaged } from './unmanaged-removal.ts';
import { findVerdict } from './verdict-lookup.ts';

/** Before another look: most conflicts are over after one statement, a purge takes some hundred milliseconds. */
const SHORTEST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 250;

/** What a deletion works on. */
export type DeletionWorld = Pick<World, 'config' | 'database' | 'registry'>;

export type DeletePackOutcome =
  | DeletedPack
  | ProblemOf<'not_found' | 'pack_in_use' | 'registry_cleanup_failed'>;

/**
 * Deletes a pack of the caller's org, and its image where it was uploaded here.
 *
 * Of any number of concurrent calls one answers `deleted`; the others wait for it and answer `not_found`.
 * @param id as the caller sent it; what is no pack id is not found
 * @param expected holds for the pack as the first step looked at it; one that changed after that is looked at again
 */
export async function deletePack(
  world: DeletionWorld,
  caller: Caller,
  id: string,
  expected?: Expectation,
): Promise<DeletePackOutcome> {
  const packId = packIds.parse(id);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id };
  const giveUpAt = performance.now() + world.config.registry.deadlineMs + LEASE_TTL_MS;
  for (let attempt = 0; ; attempt++) {
    const verdict = await findVerdict(world.database, caller.orgId, packId);
    if (verdict === null) return { kind: 'not_found', subject: 'pack', id };
    const { pack, blockers, image } = verdict;
    if (blockers !== null) return { kind: 'pack_in_use', pack, blockers };
    expected?.({ pack });
    const unchangedSince = expected === undefined ? null : pack.updatedAt;
    // Once: another try comes from somebody else's work on the repository, and finds it changed.
    using ahead = image === 'PURGED' && attempt === 0 ? readAhead(world, pack) : undefined;
    const step =
      image === 'PURGED'
        ? await mark(world, caller, packId, unchangedSince)
        : await removeUnmanaged(world.database, { caller, pack, unchangedSince });
    switch (step.kind) {
      case 'marked':
        // Awaited: what is read ahead is kept until this is over.
        return await purgeAndRemove(world, caller, step, ahead);
      case 'deleted':
        return step;
      case 'busy':
      case 'changed':
        if (performance.now() > giveUpAt) return stillBusy(pack);
    }
    await pause(Math.random() * Math.min(SHORTEST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS));
  }
}

/** Only reads, and only those that the purge begins with; what may be purged is decided later, under the lease. */
function readAhead(
  { registry }: DeletionWorld,
  { repository, version, imageDigest }: PackRow,
): ReadAhead | undefined {
  const tag = tagOf(version);
  if (imageDigest === null || !isTag(tag)) return undefined;
  return registry.readAhead?.(repository, imageDigest, tag);
}

async function purgeAndRemove(
  world: DeletionWorld,
  caller: Caller,
  marked: MarkedPack,
  ahead: ReadAhead | undefined,
): Promise<DeletePackOutcome> {
  const outcome = await purge(world, marked, ahead);
  if (outcome.kind === 'failed') return recordFailure(world, caller, marked, outcome);
  return remove(world, caller, marked, whatBecame(outcome));
}

function whatBecame(outcome: Exclude<PurgeOutcome, RegistryFailure>): Purged {
  switch (outcome.kind) {
    case 'purged':
      return { image: 'PURGED', remainingTags: outcome.remainingTags ?? [] };
    case 'already_gone':
      return { image: 'ALREADY_GONE', remainingTags: outcome.remainingTags ?? [] };
    case 'retained_shared':
      return { image: 'RETAINED_SHARED', remainingTags: [] };
  }
}

async function purge(
  { database, registry }: DeletionWorld,
  { pack, digest, held, lease }: MarkedPack,
  ahead: ReadAhead | undefined,
): Promise<PurgeOutcome> {
  using kept = keepLease(database, lease);
  // Awaited: the lease is kept until this is over, and not only until it has begun.
  return await registry.purge(pack.repository, digest, { ...kept, held, ahead });
}

/** The row is left as it is: the other change, of the pack or of its repository, decides what becomes of it. */
const stillBusy = (pack: PackRow): ProblemOf<'registry_cleanup_failed'> => ({
  kind: 'registry_cleanup_failed',
  pack,
  failure: {
    kind: 'failed',
    reason: 'TIMEOUT',
    retryable: true,
    detail: 'another change of this pack, or an upload to its repository, is still under way.',
  },
  attempts: pack.cleanupAttempts + 1,
});
