import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Database, query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { type RoleId, uuidOf } from '../model/ids.ts';
import { type RoleArray, type RoleRow, roleAsArray, roleOfArray } from '../model/role-row.ts';

/** `key share` makes a change of the role that comes later wait for this transaction; `update` any other lock too. */
type RoleLock = 'key share' | 'update';

/** Roles of the caller's org by id, archived ones included; in no particular order. */
export async function findRoles(
  source: SqlEntityManager | Database,
  caller: Caller,
  ids: readonly RoleId[],
  lock?: RoleLock,
): Promise<RoleRow[]> {
  const records = await query<{ role: RoleArray }>(
    source,
    `select ${roleAsArray('whole')} as role from agent_roles r where r.org_id = $1 and r.id = any($2)
     ${lock === undefined ? '' : `for ${lock}`}`,
    [uuidOf(caller.orgId), ids.map(uuidOf)],
  );
  return records.map(({ role }) => roleOfArray(role));
}

/** One role of the caller's org, or null. */
export async function findRole(
  source: SqlEntityManager | Database,
  caller: Caller,
  id: RoleId,
  lock?: RoleLock,
): Promise<RoleRow | null> {
  const [role] = await findRoles(source, caller, [id], lock);
  return role ?? null;
}
