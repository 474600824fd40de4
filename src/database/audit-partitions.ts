/**
 * The partitions of the audit log, one for each month: made in advance, and dropped when they are past (migration 006).
 */
import { untilItPasses } from './attempts.ts';
import type { Query } from './gathered.ts';
import { isLockTimeout } from './sql-state.ts';

/** Few, because the first page of a list looks into each; events of a month without one have a place as well. */
const MONTHS_AHEAD = 3;
/** The database waits for no more than an instant for the lock on the whole log, as everybody would behind it. */
const MOST_ATTEMPTS = 20;

/**
 * Makes the partitions of the months to come, where they are missing. The database does it with the rights of the tables'
 * owner, for a role that may do so itself or not. Several processes may do it at once.
 * @returns how many were made
 */
export async function makeAuditPartitions(query: Query): Promise<number> {
  const [row] = await query<{ made: number }>('select keep_audit_partitions($1) as made', [
    MONTHS_AHEAD,
  ]);
  return row?.made ?? 0;
}

export const NOT_MADE_AHEAD =
  'partitions of the audit log were not made in advance; nothing is lost, and it will be tried again';

/**
 * Drops what is past as a whole, a partition at a time. Each leaves an `AUDIT_PRUNED` event for every org that had events
 * in it.
 * @returns how many events went
 */
export async function dropAuditPartitions(
  query: Query,
  olderThan: string,
  run: string,
): Promise<number> {
  for (let total = 0; ; ) {
    const drop = () =>
      query<{ removed: number | null }>('select drop_audit_partition($1, $2) as removed', [
        olderThan,
        run,
      ]);
    const [row] = await untilItPasses(drop, isLockTimeout, MOST_ATTEMPTS);
    if (row?.removed == null) return total;
    total += row.removed;
  }
}
