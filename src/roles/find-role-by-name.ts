import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { AgentRole } from '../model/agent-role.entity.ts';
import type { RoleRow } from '../model/role-row.ts';

/** The role of the caller's org that has a name, archived or not, or null. */
export async function findRoleByName(
  database: Database,
  caller: Caller,
  name: string,
): Promise<RoleRow | null> {
  // PostgreSQL's text holds no NUL, so no name does.
  if (name.includes('\0')) return null;
  return database.forOrg(caller.orgId).findOne(AgentRole, { name });
}
