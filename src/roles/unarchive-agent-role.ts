import { recordEvent } from '../audit/record-event.ts';
import type { Caller } from '../identity/caller.ts';
import { roleIds } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { lockRole } from './find-role.ts';

export type UnarchiveAgentRoleOutcome =
  | { readonly kind: 'unarchived'; readonly role: RoleRow }
  | ProblemOf<'not_found' | 'not_archived'>;

/** Brings an archived role back, with the packs it had. */
export async function unarchiveAgentRole(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  id: string,
): Promise<UnarchiveAgentRoleOutcome> {
  const roleId = roleIds.parse(id);
  if (roleId === null) return { kind: 'not_found', subject: 'agent_role', id };
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const role = await lockRole(em, roleId);
    if (role === null) return { kind: 'not_found', subject: 'agent_role', id };
    if (role.archivedAt === null) return { kind: 'not_archived', roleId, name: role.name };
    role.archivedAt = null;
    recordEvent(em, caller, 'AGENT_ROLE_UNARCHIVED', roleId, { name: role.name });
    return { kind: 'unarchived', role };
  });
}
