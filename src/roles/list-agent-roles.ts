import type { Caller } from '../identity/caller.ts';
import type { ListedRole } from '../model/role-row.ts';
import type { Rows } from '../model/rows-of.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

export interface RoleListing {
  readonly includeArchived: boolean;
}

/** Roles of the caller's org, newest first. */
export async function listAgentRoles<Role extends ListedRole>(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  page: PageRequest,
  listing: RoleListing,
  rows: Rows<Role>,
): Promise<Page<Role>> {
  const values: unknown[] = [caller.orgId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = [...listed(listing), ...placeOf(page, 'r.id', bind)];
  const records = await database.query<object>(
    `select ${rows.columns} from agent_roles r where ${where.join(' and ')}
     order by r.id ${orderOf(page)} limit ${bind(limitOf(page))}`,
    values,
  );
  return toPage(page, records.map(rows.ofRecord));
}

/** How many roles `listAgentRoles` would go through. */
export async function countAgentRoles(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  listing: RoleListing,
): Promise<number> {
  const [row] = await database.query<{ count: string | number }>(
    `select count(*) as count from agent_roles r where ${listed(listing).join(' and ')}`,
    [caller.orgId],
  );
  return Number(row?.count ?? 0);
}

const listed = ({ includeArchived }: RoleListing): string[] => [
  'r.org_id = $1::uuid',
  ...(includeArchived ? [] : ['r.archived_at is null']),
];
