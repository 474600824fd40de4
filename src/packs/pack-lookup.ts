import DataLoader from 'dataloader';
import type { Database } from '../database/database.ts';
import { type OrgId, type PackId, uuidOf } from '../ids.ts';
import { type PackRecord, type PackRow, packColumns, toPackRow } from './pack-row.ts';

/** Finds a pack that an org may see, or null. */
export type PackLookup = (org: OrgId, id: PackId) => Promise<PackRow | null>;

interface Wanted {
  readonly org: OrgId;
  readonly id: PackId;
}

/**
 * What requests ask for at the same moment is read in one statement, each for its own org. Nothing is kept: a request
 * sees every change that was committed before it came.
 */
export function createPackLookup(database: Database): PackLookup {
  const loader = new DataLoader<Wanted, PackRow | null>(
    async (wanted) => {
      const records = await database.query<PackRecord & { readonly place: number }>(
        `select k.place, ${packColumns}
         from unnest($1::uuid[], $2::uuid[]) with ordinality as k (org_id, pack_id, place)
         join packs p on p.id = k.pack_id
         where p.org_id = k.org_id or p.visibility = 'COMMUNITY' or p.org_id is null`,
        [wanted.map(({ org }) => uuidOf(org)), wanted.map(({ id }) => uuidOf(id))],
      );
      const found = new Map(records.map((record) => [Number(record.place), toPackRow(record)]));
      return wanted.map((_, index) => found.get(index + 1) ?? null);
    },
    // By the end of this turn of the event loop all sockets that had something to read have been read.
    { cache: false, maxBatchSize: 100, batchScheduleFn: (send) => void setImmediate(send) },
  );
  return (org, id) => loader.load({ org, id });
}
