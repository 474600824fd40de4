/** The reads of the hand-written server, Apollo and Mercurius: named prepared statements on `pg`. */
import type { Pool } from 'pg';
import type { Caller } from './caller.ts';

export interface PackAnswer {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly version: string;
  readonly tier: string;
  readonly visibility: string;
  readonly imageRef: string;
  readonly sizeBytes: number;
}

export interface RoleAnswer {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
}

const packColumns = `'pack_' || p.id as id, p.name, p.display_name as "displayName", p.version, p.tier,
  p.visibility, p.image_ref as "imageRef", p.size_bytes as "sizeBytes"`;

export const roleColumns = `'role_' || r.id as id, r.name, r.display_name as "displayName"`;

/** The UUID of an id like `pack_…`. */
export const uuidOf = (id: string): string => id.slice(id.indexOf('_') + 1);

export async function findPack(pool: Pool, caller: Caller, id: string): Promise<PackAnswer | null> {
  const { rows } = await pool.query<PackAnswer>({
    name: 'find-pack',
    text: `select ${packColumns} from packs p
           where p.id = $2 and (p.org_id = $1 or p.visibility = 'COMMUNITY' or p.org_id is null)`,
    values: [caller.orgId, uuidOf(id)],
  });
  return rows[0] ?? null;
}

/** The org's own packs, newest first. */
export async function listPacks(pool: Pool, caller: Caller, first: number): Promise<PackAnswer[]> {
  const { rows } = await pool.query<PackAnswer>({
    name: 'list-packs',
    text: `select ${packColumns} from packs p where p.org_id = $1 order by p.id desc limit $2`,
    values: [caller.orgId, first],
  });
  return rows;
}

/** The newest roles of each pack, in the order of `ids`: one statement for all of them. */
export async function rolesOfPacks(
  pool: Pool,
  caller: Caller,
  ids: readonly string[],
  first: number,
): Promise<RoleAnswer[][]> {
  const { rows } = await pool.query<RoleAnswer & { packId: string }>({
    name: 'roles-of-packs',
    text: `select 'pack_' || k.pack_id as "packId", r.*
           from unnest($2::uuid[]) k (pack_id) cross join lateral (
             select ${roleColumns} from role_packs a
             join agent_roles r on r.id = a.role_id and r.org_id = a.org_id
             where a.pack_id = k.pack_id and a.org_id = $1 order by a.role_id desc limit $3
           ) r`,
    values: [caller.orgId, ids.map(uuidOf), first],
  });
  const roles = new Map<string, RoleAnswer[]>(ids.map((id) => [id, []]));
  for (const { packId, ...role } of rows) roles.get(packId)?.push(role);
  return ids.map((id) => roles.get(id) ?? []);
}
