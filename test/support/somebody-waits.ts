import { setTimeout as pause } from 'node:timers/promises';
import type { Gateway } from './gateway.ts';

/** Until a statement in the gateway's database waits for a lock; asked outside of any transaction, for one caches it. */
export async function somebodyWaits({ app }: Gateway): Promise<void> {
  const sql = `select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await app.world.database.query(sql, [])).length === 0) await pause(10);
}
