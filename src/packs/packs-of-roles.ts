/** For many roles at once: the packs they reference. One statement a batch. */
import type { Caller } from '../identity/caller.ts';
import type { Extent } from '../model/extent.ts';
import { type RoleId, roleIds, uuidOf } from '../model/ids.ts';
import { type ListedPack, packRows } from '../model/pack-row.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

/** A page of packs for each role of the caller's org, newest first. */
export async function packsOfRoles(
  { database }: World,
  caller: Caller,
  roles: readonly RoleId[],
  page: PageRequest,
  extent: Extent,
): Promise<Map<RoleId, Page<ListedPack>>> {
  const values: unknown[] = [roles.map(uuidOf), uuidOf(caller.orgId)];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = ['a.role_id = k.role_id', 'a.org_id = $2', ...placeOf(page, 'a.pack_id', bind)];
  const records = await database.query<{ role_id: string }>(
    `select k.role_id, p.* from unnest($1::uuid[]) as k (role_id) cross join lateral (
       select ${packRows[extent].columns} from role_packs a join packs p on p.id = a.pack_id
       where ${where.join(' and ')}
       order by a.pack_id ${orderOf(page)} limit ${bind(limitOf(page))}
     ) p`,
    values,
  );
  const byRole = Map.groupBy(records, ({ role_id }) => roleIds.of(role_id));
  const packsOf = (id: RoleId) => (byRole.get(id) ?? []).map(packRows[extent].ofRecord);
  return new Map(roles.map((id) => [id, toPage(page, packsOf(id))]));
}

/** How many packs each role references. */
export async function countPacksOfRoles(
  { database }: World,
  caller: Caller,
  roles: readonly RoleId[],
): Promise<Map<RoleId, number>> {
  const records = await database.query<{ role_id: string; count: number }>(
    `select k.role_id,
       (select count(*)::int from role_packs a where a.role_id = k.role_id and a.org_id = $2) as count
     from unnest($1::uuid[]) as k (role_id)`,
    [roles.map(uuidOf), uuidOf(caller.orgId)],
  );
  return new Map(records.map(({ role_id, count }) => [roleIds.of(role_id), count]));
}
