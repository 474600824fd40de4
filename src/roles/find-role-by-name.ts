import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { AgentRole } from '../model/agent-role.entity.ts';
import type { RoleRow } from '../model/role-row.ts';
import { roleFields } from './role-fields.ts';

/** The role of the caller's org that has a name, archived or not, or null. */
export async function findRoleByName(
  database: Database,
  caller: Caller,
  name: string,
): Promise<RoleRow | null> {
  // The ORM goes through what it is asked for letter by letter, and no name is long.
  if (!roleFields.name.safeParse(name).success) return null;
  return database.forOrg(caller.orgId).findOne(AgentRole, { name });
}
