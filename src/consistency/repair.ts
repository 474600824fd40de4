import { acquireLease, keepLease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { newUuid } from '../model/ids.ts';
import { isProblem, problemRow } from '../outcomes.ts';
import { type DeletionWorld, deletePack } from '../packs/delete-pack.ts';
import { purgeUnheld } from '../packs/purge-unheld.ts';
import type { Finding, Remedy } from './finding.ts';

export type RepairOutcome =
  | { readonly kind: 'repaired' }
  | { readonly kind: 'left'; readonly why: string };

/** Does what can be done about a finding, by the same steps and under the same locks as the service itself. */
export async function repair(world: DeletionWorld, { remedy }: Finding): Promise<RepairOutcome> {
  switch (remedy?.kind) {
    case undefined:
      return { kind: 'left', why: 'needs a person' };
    case 'purge':
      return purgeOrphan(world, remedy);
    case 'delete':
      return finishDeletion(world, remedy);
  }
}

/** Under the lease no upload can push the same image and no deletion can purge beside us. */
async function purgeOrphan(
  world: DeletionWorld,
  { repository, digest }: Extract<Remedy, { kind: 'purge' }>,
): Promise<RepairOutcome> {
  const { database } = world;
  const lease = await acquireLease(database, repository);
  if (lease === null) return { kind: 'left', why: 'an upload or deletion is under way there' };
  try {
    using kept = keepLease(database, lease);
    const outcome = await purgeUnheld(world, repository, digest, kept);
    if (outcome.kind === 'held') return { kind: 'left', why: 'a pack has it by now' };
    if (outcome.kind === 'retained_shared') {
      return { kind: 'left', why: 'an index of somebody else needs it' };
    }
    return outcome.kind === 'failed' ? { kind: 'left', why: outcome.detail } : { kind: 'repaired' };
  } finally {
    await releaseLease(database, lease);
  }
}

async function finishDeletion(
  world: DeletionWorld,
  { packId, orgId, orgSlug }: Extract<Remedy, { kind: 'delete' }>,
): Promise<RepairOutcome> {
  const caller: Caller = {
    orgId,
    orgSlug,
    scopes: new Set(['caps:write']),
    principal: { kind: 'service', name: 'check-consistency' },
    requestId: newUuid(),
  };
  const outcome = await deletePack(world, caller, packId);
  // Not found: somebody else has finished it.
  if (!isProblem(outcome) || outcome.kind === 'not_found') return { kind: 'repaired' };
  return { kind: 'left', why: problemRow(outcome).message(outcome) };
}
