/** For many packs at once: the roles of the caller's org that reference them. One statement a batch. */
import type { Caller } from '../identity/caller.ts';
import type { Extent } from '../model/extent.ts';
import { type PackId, packIds, uuidOf } from '../model/ids.ts';
import { type ListedRole, roleRows } from '../model/role-row.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

/** A page of roles for each pack, newest first, archived ones included. */
export async function rolesOfPacks(
  { database }: World,
  caller: Caller,
  packs: readonly PackId[],
  page: PageRequest,
  extent: Extent,
): Promise<Map<PackId, Page<ListedRole>>> {
  const values: unknown[] = [uuidOf(caller.orgId), packs.map(uuidOf)];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const records = await database.query<{ pack_id: string; roles: RolesJson }>(
    `select k.pack_id, (${rolesAsJson('k.pack_id', '$1', page, extent, bind)}) as roles
     from unnest($2::uuid[]) as k (pack_id)`,
    values,
  );
  return new Map(
    records.map(({ pack_id, roles }) => [
      packIds.of(pack_id),
      toPage(page, (roles ?? []).map(roleRows[extent].ofArray)),
    ]),
  );
}

/** What `rolesAsJson` selects: for each role what `roleRows` makes a row of. */
export type RolesJson = readonly (readonly unknown[])[] | null;

/**
 * A subquery: the page of roles of one pack that one org has as one JSON array, or null where there is none. One value per pack is read far faster than one row per role.
 */
export function rolesAsJson(
  packId: string,
  org: string,
  page: PageRequest,
  extent: Extent,
  bind: (value: unknown) => string,
): string {
  const where = [`a.pack_id = ${packId}`, `a.org_id = ${org}`, ...placeOf(page, 'a.role_id', bind)];
  return `
    select json_agg(r.role) from (
      select ${roleRows[extent].json} as role from role_packs a
      join agent_roles r on r.id = a.role_id and r.org_id = a.org_id
      where ${where.join(' and ')}
      order by a.role_id ${orderOf(page)} limit ${bind(limitOf(page))}
    ) r`;
}

export interface RoleCounts {
  /** Roles of the caller's org, archived ones included. */
  readonly own: number;
  readonly otherOrgs: number;
}

/** How many roles reference each pack. */
export async function countRolesOfPacks(
  { database }: World,
  caller: Caller,
  packs: readonly PackId[],
): Promise<Map<PackId, RoleCounts>> {
  const records = await database.query<{ pack_id: string; own: number; other_orgs: number }>(
    `select k.pack_id,
       (select count(*)::int from role_packs a where a.pack_id = k.pack_id and a.org_id = $2) as own,
       (select count(*)::int from role_packs a where a.pack_id = k.pack_id and a.org_id < $2)
       -- Two ranges of the index: "<>" would step over all of the org's own.
       + (select count(*)::int from role_packs a where a.pack_id = k.pack_id and a.org_id > $2)
         as other_orgs
     from unnest($1::uuid[]) as k (pack_id)`,
    [packs.map(uuidOf), uuidOf(caller.orgId)],
  );
  return new Map(
    records.map(({ pack_id, own, other_orgs }) => [
      packIds.of(pack_id),
      { own, otherOrgs: other_orgs },
    ]),
  );
}
