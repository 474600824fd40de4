import type { Database } from '../database/database.ts';
import { gathered } from '../database/gathered.ts';
import { type OrgId, type PackId, uuidOf } from '../ids.ts';
import { type PackArray, type PackRow, packAsArray, packOfArray } from './pack-row.ts';

/** Finds a pack that an org may see, or null. */
export type PackLookup = (org: OrgId, id: PackId) => Promise<PackRow | null>;

interface Wanted {
  readonly org: OrgId;
  readonly id: PackId;
}

/** The lookup, for many requests in one statement; each for its own org. */
export function createPackLookup(database: Database): PackLookup {
  const find = gathered(async (wanted: readonly Wanted[]) => {
    const records = await database.query<{ place: number | string; pack: PackArray }>(
      `select k.place, ${packAsArray('whole')} as pack
       from unnest($1::uuid[], $2::uuid[]) with ordinality as k (org_id, pack_id, place)
       join packs p on p.id = k.pack_id
       where p.org_id = k.org_id or p.visibility = 'COMMUNITY' or p.org_id is null`,
      [wanted.map(({ org }) => uuidOf(org)), wanted.map(({ id }) => uuidOf(id))],
    );
    const found = new Map(records.map(({ place, pack }) => [Number(place), packOfArray(pack)]));
    return wanted.map((_, index) => found.get(index + 1) ?? null);
  });
  return (org, id) => find({ org, id });
}
