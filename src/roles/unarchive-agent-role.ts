import { recordEvent } from '../audit/record-event.ts';
import type { Caller } from '../identity/caller.ts';
import { AgentRole } from '../model/agent-role.entity.ts';
import { roleIds, uuidOf } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { findRole } from './find-role.ts';

export type UnarchiveAgentRoleOutcome =
  | { readonly kind: 'unarchived'; readonly role: RoleRow }
  | ProblemOf<'not_found' | 'not_archived'>;

/** Brings an archived role back, with the packs it had. */
export async function unarchiveAgentRole(
  { database }: World,
  caller: Caller,
  id: string,
): Promise<UnarchiveAgentRoleOutcome> {
  const roleId = roleIds.parse(id);
  if (roleId === null) return { kind: 'not_found', subject: 'agent_role', id };
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const role = await findRole(em, caller, roleId, 'update');
    if (role === null) return { kind: 'not_found', subject: 'agent_role', id };
    if (role.archivedAt === null) return { kind: 'not_archived', roleId, name: role.name };
    const now = new Date();
    await em.nativeUpdate(
      AgentRole,
      { id: uuidOf(roleId), org: uuidOf(caller.orgId) },
      { archivedAt: null, updatedAt: now },
    );
    recordEvent(em, caller, 'AGENT_ROLE_UNARCHIVED', roleId, { name: role.name });
    const changed = await findRole(em, caller, roleId);
    if (changed === null) throw new Error('a role just changed is not there');
    return { kind: 'unarchived', role: changed };
  });
}
