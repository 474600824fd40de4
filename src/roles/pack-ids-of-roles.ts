import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds, type RoleId, roleIds, uuidOf } from '../model/ids.ts';
import type { World } from '../world.ts';

/** Ids that one answer may have; a role that has more by itself is told alone. */
const MOST_IDS = 20_000;

/**
 * The ids of all packs of each role of the caller's org, the newest pack first.
 *
 * Whole, not a page: to replace a role's list of packs a client has to know all of it. Where they would be too many
 * together, the last of the roles that are asked for are left out.
 */
export async function packIdsOfRoles(
  { database }: World,
  caller: Caller,
  roles: readonly RoleId[],
): Promise<ReadonlyMap<RoleId, readonly PackId[]>> {
  if (roles.length === 0) return new Map();
  const records = await database.query<{ role_id: string; pack_ids: readonly string[] | null }>(
    `select upto.role_id,
       (select json_agg(a.pack_id order by a.pack_id desc) from role_packs a
        where a.role_id = upto.role_id and a.org_id = $2) as pack_ids
     from (
       select k.role_id, k.place, sum(counted.packs) over (order by k.place) - counted.packs as before
       from unnest($1::uuid[]) with ordinality as k (role_id, place),
         lateral (select count(*) as packs from role_packs a
                  where a.role_id = k.role_id and a.org_id = $2) counted
     ) upto
     where upto.before < $3`,
    [roles.map(uuidOf), uuidOf(caller.orgId), MOST_IDS],
  );
  return new Map(
    records.map(({ role_id, pack_ids }) => [
      roleIds.of(role_id),
      (pack_ids ?? []).map((id) => packIds.of(id)),
    ]),
  );
}
