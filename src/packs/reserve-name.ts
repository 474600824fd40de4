import { setTimeout as pause } from 'node:timers/promises';
import { query } from '../database/database.ts';
import { acquireLease, LEASE_TTL_MS, type Lease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { packIds, uuidOf } from '../ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Repository } from '../registry/registry.ts';
import type { Services } from '../services.ts';
import type { PackStatus } from './pack.entity.ts';

/**
 * Takes the repository's lease for a pack that is to get a name, as long as the name is free.
 *
 * While a pack of that name exists its repository is that pack's; so pushes never meet the purge of a predecessor.
 */
export async function reserveName(
  { database, config }: Services,
  caller: Caller,
  name: string,
  repository: Repository,
): Promise<
  | { readonly kind: 'reserved'; readonly lease: Lease }
  | ProblemOf<'name_taken' | 'pack_being_deleted' | 'registry_unavailable'>
> {
  const giveUpAt = performance.now() + config.registry.deadlineMs + LEASE_TTL_MS;
  while (performance.now() < giveUpAt) {
    const outcome = await database.forOrg(caller.orgId).transactional(async (em) => {
      const [taken] = await query<{ id: string; status: PackStatus }>(
        em,
        'select id, status from packs where org_id = $1 and name = $2',
        [uuidOf(caller.orgId), name],
      );
      if (taken?.status === 'ACTIVE') return { kind: 'name_taken', subject: 'pack', name } as const;
      if (taken !== undefined) {
        return { kind: 'pack_being_deleted', packId: packIds.of(taken.id), name } as const;
      }
      const lease = await acquireLease(em, repository);
      return lease === null ? null : ({ kind: 'reserved', lease } as const);
    });
    if (outcome !== null) return outcome;
    await pause(50 + Math.random() * 200);
  }
  return {
    kind: 'registry_unavailable',
    failure: {
      kind: 'failed',
      reason: 'TIMEOUT',
      retryable: true,
      detail: 'another upload or deletion of a pack of this name is still under way.',
    },
  };
}
