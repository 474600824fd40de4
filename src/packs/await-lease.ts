import { setTimeout as pause } from 'node:timers/promises';
import { acquireLease, LEASE_TTL_MS, type Lease } from '../database/repository-lease.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Services } from '../services.ts';

/** Takes a repository's lease, waiting for an upload or deletion under way as long as one may take. */
export async function awaitLease(
  { database, config }: Pick<Services, 'database' | 'config'>,
  repository: string,
): Promise<{ readonly kind: 'leased'; readonly lease: Lease } | ProblemOf<'registry_unavailable'>> {
  const giveUpAt = performance.now() + config.registry.deadlineMs + LEASE_TTL_MS;
  while (performance.now() < giveUpAt) {
    const lease = await acquireLease(database.acrossOrgs(), repository);
    if (lease !== null) return { kind: 'leased', lease };
    await pause(50 + Math.random() * 200);
  }
  return {
    kind: 'registry_unavailable',
    failure: {
      kind: 'failed',
      reason: 'TIMEOUT',
      retryable: true,
      detail: 'an upload or deletion in the same repository is still under way.',
    },
  };
}
