import { recordEvent } from '../audit/record-event.ts';
import type { Caller } from '../identity/caller.ts';
import { roleIds } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { lockRole } from './find-role.ts';

export type ArchiveAgentRoleOutcome =
  | { readonly kind: 'archived'; readonly role: RoleRow }
  | ProblemOf<'not_found'>;

/** Archives a role; it keeps its packs, because it can come back. Archiving twice changes nothing. */
export async function archiveAgentRole(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  id: string,
): Promise<ArchiveAgentRoleOutcome> {
  const roleId = roleIds.parse(id);
  if (roleId === null) return { kind: 'not_found', subject: 'agent_role', id };
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const role = await lockRole(em, roleId);
    if (role === null) return { kind: 'not_found', subject: 'agent_role', id };
    if (role.archivedAt === null) {
      role.archivedAt = new Date();
      recordEvent(em, caller, 'AGENT_ROLE_ARCHIVED', roleId, { name: role.name });
    }
    return { kind: 'archived', role };
  });
}
