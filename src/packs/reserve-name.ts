import { acquireLease, type Lease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Repository } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { untilLeased } from './await-lease.ts';
import { nameProblem } from './name-problem.ts';

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
        const problem = await nameProblem(em, caller, name);
        if (problem !== null) return problem;
        const lease = await acquireLease(em, repository);
        return lease === null ? null : { kind: 'reserved', lease };
      }),
  );
}
