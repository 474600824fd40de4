import { inPlaces, type Placed } from '../database/gathered.ts';
import type { Caller } from '../identity/caller.ts';
import { Attachment } from '../model/attachment.entity.ts';
import type { PackId, RoleId } from '../model/ids.ts';
import { decoderOf } from '../model/rows-of.ts';
import type { World } from '../world.ts';

/** Ids that one answer may have; a role that has more by itself is told alone. */
const MOST_IDS = 20_000;

const packId = decoderOf(Attachment, 'pack');

/**
 * The ids of all packs of each role of the caller's org, the newest pack first; in the order of the roles.
 *
 * Whole, not a page: to replace a role's list of packs a client has to know all of it. Where they would be too many
 * together, the last of the roles that are asked for are left out.
 */
export async function packIdsOfRoles(
  { database }: World,
  caller: Caller,
  roles: readonly RoleId[],
): Promise<(readonly PackId[] | null)[]> {
  if (roles.length === 0) return [];
  const records = await database.query<Placed & { pack_ids: readonly string[] | null }>(
    `select upto.place,
       (select json_agg(a.pack_id order by a.pack_id desc) from role_packs a
        where a.role_id = upto.role_id and a.org_id = $2::uuid) as pack_ids
     from (
       select k.role_id, k.place, sum(counted.packs) over (order by k.place) - counted.packs as before
       from unnest($1::uuid[]) with ordinality as k (role_id, place),
         lateral (select count(*) as packs from role_packs a
                  where a.role_id = k.role_id and a.org_id = $2::uuid) counted
     ) upto
     where upto.before < $3`,
    [roles, caller.orgId, MOST_IDS],
  );
  return inPlaces(roles, records).map((record) =>
    record === undefined ? null : (record.pack_ids ?? []).map(packId),
  );
}
