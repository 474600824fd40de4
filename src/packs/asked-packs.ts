import { type Gathered, inPlaces, type Placed } from '../database/gathered.ts';
import type { OrgId, PackId } from '../model/ids.ts';

/** Who asks, and of which pack. */
export interface AskedPack {
  readonly org: OrgId;
  readonly id: PackId;
}

/** What is asked for, as a relation of the statement: the org, the pack, and the place of the request that asks. */
export const askedPacks =
  'unnest($1::uuid[], $2::uuid[]) with ordinality as k (org_id, pack_id, place)';

/**
 * A question about packs, for many requests in one statement; each for its own org.
 * @param sql selects from `askedPacks`, at most one record for each place
 */
export const aboutPacks =
  <Found extends Placed, Value>(
    sql: string,
    toValue: (found: Found) => Value,
  ): Gathered<AskedPack, Value | null> =>
  async (query, asked) => {
    const records = await query<Found>(sql, [
      asked.map(({ org }) => org),
      asked.map(({ id }) => id),
    ]);
    return inPlaces(asked, records).map((record) =>
      record === undefined ? null : toValue(record),
    );
  };
