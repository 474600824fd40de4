import type { Database } from '../database/database.ts';
import { gathered, inPlaces, type Placed } from '../database/gathered.ts';
import { type OrgId, type PackId, uuidOf } from '../model/ids.ts';

interface Asked {
  readonly org: OrgId;
  readonly id: PackId;
}

/** What is asked for, as a relation of the statement: the org, the pack, and the place of whoever asks. */
export const askedPacks =
  'unnest($1::uuid[], $2::uuid[]) with ordinality as k (org_id, pack_id, place)';

/**
 * Asks about packs, for many requests in one statement; each for its own org.
 * @param sql selects from `askedPacks`, at most one record for each place
 */
export function askingAboutPacks<Found extends Placed, Value>(
  database: Database,
  sql: string,
  toValue: (found: Found) => Value,
): (org: OrgId, id: PackId) => Promise<Value | null> {
  const ask = gathered(async (asked: readonly Asked[]) => {
    const records = await database.query<Found>(sql, [
      asked.map(({ org }) => uuidOf(org)),
      asked.map(({ id }) => uuidOf(id)),
    ]);
    return inPlaces(asked, records).map((record) =>
      record === undefined ? null : toValue(record),
    );
  });
  return (org, id) => ask({ org, id });
}
