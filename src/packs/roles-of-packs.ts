/** For many packs at once: the roles of the caller's org that reference them. One statement a batch. */
import { inPlaces, type Placed } from '../database/gathered.ts';
import type { Caller } from '../identity/caller.ts';
import type { PackId } from '../model/ids.ts';
import type { ListedRole } from '../model/role-row.ts';
import type { Rows } from '../model/rows-of.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

/** A page of roles for each pack, newest first, archived ones included; in the order of the packs. */
export async function rolesOfPacks<Role extends ListedRole>(
  { database }: World,
  caller: Caller,
  packs: readonly PackId[],
  page: PageRequest,
  rows: Rows<Role>,
): Promise<Page<Role>[]> {
  const values: unknown[] = [caller.orgId, packs];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const records = await database.query<Placed & { roles: RolesJson }>(
    `select k.place, (${rolesAsJson('k.pack_id', '$1::uuid', page, rows, bind)}) as roles
     from unnest($2::uuid[]) with ordinality as k (pack_id, place)`,
    values,
  );
  return inPlaces(packs, records).map((record) =>
    toPage(page, (record?.roles ?? []).map(rows.ofArray)),
  );
}

/** What `rolesAsJson` selects: for each role what its `rows` make a row of. */
export type RolesJson = readonly (readonly unknown[])[];

/**
 * An expression: the page of roles of one pack that one org has, as one JSON array. One value per pack is read far faster
 * than one row per role.
 */
export function rolesAsJson(
  packId: string,
  org: string,
  page: PageRequest,
  rows: Rows<ListedRole>,
  bind: (value: unknown) => string,
): string {
  const where = [`a.pack_id = ${packId}`, `a.org_id = ${org}`, ...placeOf(page, 'a.role_id', bind)];
  return `
    array_to_json(array(
      select ${rows.texts} from role_packs a
      join agent_roles r on r.id = a.role_id and r.org_id = a.org_id
      where ${where.join(' and ')}
      order by a.role_id ${orderOf(page)} limit ${bind(limitOf(page))}
    ))`;
}

export interface RoleCounts {
  /** Roles of the caller's org, archived ones included. */
  readonly own: number;
  readonly otherOrgs: number;
}

/** How many roles reference each pack, in the order of the packs. */
export async function countRolesOfPacks(
  { database }: World,
  caller: Caller,
  packs: readonly PackId[],
): Promise<RoleCounts[]> {
  const records = await database.query<Placed & { own: number; other_orgs: number }>(
    `select k.place,
       (select count(*)::int from role_packs a where a.pack_id = k.pack_id and a.org_id = $2::uuid) as own,
       (select count(*)::int from role_packs a where a.pack_id = k.pack_id and a.org_id < $2::uuid)
       -- Two ranges of the index: "<>" would step over all of the org's own.
       + (select count(*)::int from role_packs a where a.pack_id = k.pack_id and a.org_id > $2::uuid)
         as other_orgs
     from unnest($1::uuid[]) with ordinality as k (pack_id, place)`,
    [packs, caller.orgId],
  );
  return inPlaces(packs, records).map((record) => ({
    own: record?.own ?? 0,
    otherOrgs: record?.other_orgs ?? 0,
  }));
}
