import { setTimeout as pause } from 'node:timers/promises';
import { acquireLease, LEASE_TTL_MS, type Lease } from '../database/repository-lease.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';

/** Uploads and purges take some hundred milliseconds; the random part keeps those who wait from asking in step. */
const SHORTEST_WAIT_MS = 50;
const SPREAD_MS = 200;

/** Takes a repository's lease, waiting for an upload or deletion under way as long as one may take. */
export async function awaitLease(
  world: Pick<World, 'database' | 'config'>,
  repository: string,
): Promise<{ readonly kind: 'leased'; readonly lease: Lease } | ProblemOf<'registry_unavailable'>> {
  return untilLeased(world, 'an upload or deletion in the same repository', async () => {
    const lease = await acquireLease(world.database, repository);
    return lease === null ? null : { kind: 'leased', lease };
  });
}

/**
 * Tries again and again, as long as an upload or deletion under way may take.
 * @param holder what is waited for, to be named when it takes longer
 * @param attempt answers null while somebody else has the lease
 */
export async function untilLeased<Outcome>(
  { config }: Pick<World, 'config'>,
  holder: string,
  attempt: () => Promise<Outcome | null>,
): Promise<Outcome | ProblemOf<'registry_unavailable'>> {
  const giveUpAt = performance.now() + config.registry.deadlineMs + LEASE_TTL_MS;
  while (performance.now() < giveUpAt) {
    const outcome = await attempt();
    if (outcome !== null) return outcome;
    await pause(SHORTEST_WAIT_MS + Math.random() * SPREAD_MS);
  }
  return {
    kind: 'registry_unavailable',
    failure: {
      kind: 'failed',
      reason: 'TIMEOUT',
      retryable: true,
      detail: `${holder} is still under way.`,
    },
  };
}
