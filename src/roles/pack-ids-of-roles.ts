import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds, type RoleId, roleIds, uuidOf } from '../model/ids.ts';
import type { World } from '../world.ts';

/**
 * The ids of all packs of each role of the caller's org, the newest pack first.
 *
 * Whole, not a page: who replaces a role's list of packs has to know all of it.
 */
export async function packIdsOfRoles(
  { database }: World,
  caller: Caller,
  roles: readonly RoleId[],
): Promise<Map<RoleId, readonly PackId[]>> {
  if (roles.length === 0) return new Map();
  const records = await database.query<{ role_id: string; pack_ids: readonly string[] | null }>(
    `select k.role_id,
       (select json_agg(a.pack_id order by a.pack_id desc) from role_packs a
        where a.role_id = k.role_id and a.org_id = $2) as pack_ids
     from unnest($1::uuid[]) as k (role_id)`,
    [roles.map(uuidOf), uuidOf(caller.orgId)],
  );
  return new Map(
    records.map(({ role_id, pack_ids }) => [
      roleIds.of(role_id),
      (pack_ids ?? []).map((id) => packIds.of(id)),
    ]),
  );
}
