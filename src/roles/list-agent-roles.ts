import type { Caller } from '../identity/caller.ts';
import type { Extent } from '../model/extent.ts';
import { uuidOf } from '../model/ids.ts';
import { type RoleArray, type RoleRow, roleAsArray, roleOfArray } from '../model/role-row.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

/** Roles of the caller's org, newest first. */
export async function listAgentRoles(
  { database }: World,
  caller: Caller,
  page: PageRequest,
  options: { readonly includeArchived: boolean },
  extent: Extent = 'whole',
): Promise<Page<RoleRow>> {
  const values: unknown[] = [uuidOf(caller.orgId)];
  const where = ['r.org_id = $1'];
  if (!options.includeArchived) where.push('r.archived_at is null');
  where.push(...placeOf(page, 'r.id', (value) => `$${values.push(value)}`));
  const records = await database.query<{ role: RoleArray }>(
    `select ${roleAsArray(extent)} as role from agent_roles r where ${where.join(' and ')}
     order by r.id ${orderOf(page)} limit $${values.push(limitOf(page))}`,
    values,
  );
  const roles = records.map(({ role }) => roleOfArray(role));
  return toPage(page, roles);
}

/** How many roles `listAgentRoles` would go through. */
export async function countAgentRoles(
  { database }: World,
  caller: Caller,
  options: { readonly includeArchived: boolean },
): Promise<number> {
  const [row] = await database.query<{ count: string | number }>(
    `select count(*) as count from agent_roles r
     where r.org_id = $1 ${options.includeArchived ? '' : 'and r.archived_at is null'}`,
    [uuidOf(caller.orgId)],
  );
  return Number(row?.count ?? 0);
}
