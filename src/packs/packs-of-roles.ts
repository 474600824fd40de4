/** For many roles at once: the packs they reference. One statement a batch. */
import { inPlaces, type Placed } from '../database/gathered.ts';
import type { Caller } from '../identity/caller.ts';
import type { Extent } from '../model/extent.ts';
import type { RoleId } from '../model/ids.ts';
import { type ListedPack, packRows } from '../model/pack-row.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

/** A page of packs for each role of the caller's org, newest first; in the order of the roles. */
export async function packsOfRoles(
  { database }: World,
  caller: Caller,
  roles: readonly RoleId[],
  page: PageRequest,
  extent: Extent,
): Promise<Page<ListedPack>[]> {
  const values: unknown[] = [roles, caller.orgId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = [
    'a.role_id = k.role_id',
    'a.org_id = $2::uuid',
    ...placeOf(page, 'a.pack_id', bind),
  ];
  const records = await database.query<Placed>(
    `select k.place, p.* from unnest($1::uuid[]) with ordinality as k (role_id, place) cross join lateral (
       select ${packRows[extent].columns} from role_packs a join packs p on p.id = a.pack_id
       where ${where.join(' and ')}
       order by a.pack_id ${orderOf(page)} limit ${bind(limitOf(page))}
     ) p`,
    values,
  );
  const byPlace = Map.groupBy(records, ({ place }) => Number(place));
  const packsAt = (place: number) => (byPlace.get(place) ?? []).map(packRows[extent].ofRecord);
  return roles.map((_, index) => toPage(page, packsAt(index + 1)));
}

/** How many packs each role references, in the order of the roles. */
export async function countPacksOfRoles(
  { database }: World,
  caller: Caller,
  roles: readonly RoleId[],
): Promise<number[]> {
  const records = await database.query<Placed & { count: number }>(
    `select k.place,
       (select count(*)::int from role_packs a where a.role_id = k.role_id and a.org_id = $2::uuid) as count
     from unnest($1::uuid[]) with ordinality as k (role_id, place)`,
    [roles, caller.orgId],
  );
  return inPlaces(roles, records).map((record) => record?.count ?? 0);
}
