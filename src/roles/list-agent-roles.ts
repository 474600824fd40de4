import type { Caller } from '../identity/caller.ts';
import type { Extent } from '../model/extent.ts';
import { type ListedRole, roleRows } from '../model/role-row.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

export interface RoleListing {
  readonly includeArchived: boolean;
}

/** Roles of the caller's org, newest first. */
export async function listAgentRoles(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  page: PageRequest,
  listing: RoleListing,
  extent: Extent = 'whole',
): Promise<Page<ListedRole>> {
  const values: unknown[] = [caller.orgId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = [...listed(listing), ...placeOf(page, 'r.id', bind)];
  const records = await database.query<object>(
    `select ${roleRows[extent].columns} from agent_roles r where ${where.join(' and ')}
     order by r.id ${orderOf(page)} limit ${bind(limitOf(page))}`,
    values,
  );
  return toPage(page, records.map(roleRows[extent].ofRecord));
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
