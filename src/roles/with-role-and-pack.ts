import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Caller } from '../identity/caller.ts';
import { packIds, roleIds } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import { findPack } from '../packs/find-pack.ts';
import type { World } from '../world.ts';
import { holdRole } from './find-role.ts';

/** As the caller sent them; what is no id is not found. */
export interface RoleAndPackIds {
  readonly roleId: string;
  readonly packId: string;
}

/**
 * Runs a transaction on a role of the caller's org and a pack that the caller may see, where there are both.
 * @param lock on the pack: `share` makes a deletion of it wait for the transaction
 */
export async function withRoleAndPack<Outcome>(
  { database }: World,
  caller: Caller,
  input: RoleAndPackIds,
  lock: 'share' | undefined,
  run: (em: SqlEntityManager, role: RoleRow, pack: PackRow) => Promise<Outcome>,
): Promise<Outcome | ProblemOf<'not_found'>> {
  const roleId = roleIds.parse(input.roleId);
  if (roleId === null) return { kind: 'not_found', subject: 'agent_role', id: input.roleId };
  const packId = packIds.parse(input.packId);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id: input.packId };
  return database.forOrg(caller.orgId).transactional(async (em) => {
    // Before the pack and the attachment, as updateAgentRole does: in the opposite order the two could deadlock.
    const role = await holdRole(em, roleId);
    if (role === null) return { kind: 'not_found', subject: 'agent_role', id: roleId };
    const pack = await findPack(em, caller, packId, lock);
    if (pack === null) return { kind: 'not_found', subject: 'pack', id: packId };
    return run(em, role, pack);
  });
}
