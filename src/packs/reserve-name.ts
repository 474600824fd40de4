import { acquireLease, type Lease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Repository } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { untilLeased } from './await-lease.ts';
import { findNamed } from './find-pack.ts';

type ReserveNameOutcome =
  | { readonly kind: 'reserved'; readonly lease: Lease }
  | ProblemOf<'name_taken' | 'pack_being_deleted' | 'registry_unavailable'>;

/**
 * Takes the repository's lease for a pack that is to get a name, as long as the name is free.
 *
 * While a pack of that name exists its repository is that pack's; so pushes never meet the purge of a predecessor.
 */
export async function reserveName(
  world: World,
  caller: Caller,
  name: string,
  repository: Repository,
): Promise<ReserveNameOutcome> {
  return untilLeased(world, 'another upload or deletion of a pack of this name', () =>
    world.database
      .forOrg(caller.orgId)
      .transactional(async (em): Promise<ReserveNameOutcome | null> => {
        const taken = await findNamed(em, name);
        if (taken?.status === 'ACTIVE') return { kind: 'name_taken', subject: 'pack', name };
        if (taken !== null) {
          return { kind: 'pack_being_deleted', packId: taken.id, name, owned: true };
        }
        const lease = await acquireLease(em, repository);
        return lease === null ? null : { kind: 'reserved', lease };
      }),
  );
}
