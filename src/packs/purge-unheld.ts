import {
  type KeptLease,
  type Lease,
  releaseLease,
  renewLease,
} from '../database/repository-lease.ts';
import type { Digest, PurgeOutcome, Repository } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { heldDigests } from './held-digests.ts';

/** Purges an image that no pack points at; to be called under the repository's lease. */
export async function purgeUnheld(
  { database, registry }: Pick<World, 'database' | 'registry'>,
  repository: Repository,
  digest: Digest,
  kept: KeptLease,
): Promise<PurgeOutcome | { readonly kind: 'held' }> {
  const held = await heldDigests(database, repository);
  if (held.has(digest)) return { kind: 'held' };
  return registry.purge(repository, digest, { ...kept, held });
}

/** Takes an image back that was pushed for a pack that could not be added, and gives up the lease. */
export async function withdraw(
  world: Pick<World, 'database' | 'registry' | 'log'>,
  repository: Repository,
  digest: Digest,
  lease: Lease,
  kept: KeptLease,
): Promise<void> {
  const outcome = await purgeUnheld(world, repository, digest, kept);
  if (outcome.kind === 'failed') world.log.warn({ repository, digest }, 'image left behind');
  await releaseLease(world.database, lease);
}

/**
 * Takes back an image whose pack the database failed to add. A commit whose answer was lost may have been made: it gave
 * the lease back as well, and so the image stays wherever the lease is not ours any more, or nobody can say.
 */
export async function withdrawUndone(
  world: Pick<World, 'database' | 'registry' | 'log'>,
  repository: Repository,
  digest: Digest,
  lease: Lease,
  kept: KeptLease,
): Promise<void> {
  try {
    if (await renewLease(world.database, lease)) {
      await withdraw(world, repository, digest, lease, kept);
    }
  } catch (error) {
    world.log.warn({ err: error, repository, digest }, 'image left behind');
  }
}
