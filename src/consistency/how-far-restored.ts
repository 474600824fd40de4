import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';

export interface RestoredState {
  /** When the last change was made that is in this copy; null: there is none. */
  readonly reachesTo: Date | null;
  /** Keys that answer 200, be it that some were revoked after that. */
  readonly liveKeys: number;
}

/** How far a copy of the database reaches, by its newest audit event: every change leaves one. */
export async function howFarRestored(database: Database): Promise<RestoredState> {
  const [row] = await database.query<{ newest: string | null; keys: number }>(
    `select ${acrossOrgs('consistency')}
       (select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') from audit_events order by id desc limit 1) as newest,
       (select count(*)::int from api_keys where revoked_at is null) as keys`,
    [],
  );
  const newest = row?.newest ?? null;
  return { reachesTo: newest === null ? null : new Date(newest), liveKeys: row?.keys ?? 0 };
}
