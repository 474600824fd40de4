/** Audit events are kept for as long as the operator says, and not without end. */
import { acrossOrgs } from '../database/cross-org.ts';
import { newUuid } from '../model/ids.ts';
import type { World } from '../world.ts';

/** Rows that one transaction removes: bounded, so that no lock is held for long; each leaves one event. */
const BATCH = 10_000;
const EVERY_MS = 6 * 3_600_000;

/**
 * Removes every org's events that are older than so many days; each batch leaves an `AUDIT_PRUNED` event, which the
 * database writes in the same transaction (migration 003). Several replicas may do it at once.
 * @returns how many were removed
 */
export async function pruneAudit(
  { database }: Pick<World, 'database'>,
  days: number,
): Promise<number> {
  const olderThan = new Date(Date.now() - days * 86_400_000).toISOString();
  const run = newUuid();
  const orgs = await database.query<{ id: string }>(
    `select ${acrossOrgs('retention')} id from orgs order by id`,
    [],
  );
  let total = 0;
  for (const { id } of orgs) {
    for (let removed = BATCH; removed === BATCH; total += removed) {
      removed = await pruneBatch(database, id, olderThan, run);
    }
  }
  return total;
}

async function pruneBatch(
  database: World['database'],
  org: string,
  olderThan: string,
  run: string,
): Promise<number> {
  const [row] = await database.query<{ removed: number }>(
    'select prune_audit_events($1, $2, $3, $4) as removed',
    [org, olderThan, BATCH, run],
  );
  return row?.removed ?? 0;
}

/** Prunes now and then, from now on until it is disposed of; never where nothing is said of it. */
export function keepPruning(world: Pick<World, 'config' | 'database' | 'log'>): Disposable {
  const days = world.config.auditRetentionDays;
  if (days === null) return { [Symbol.dispose]: () => undefined };
  const prune = () =>
    pruneAudit(world, days).then(
      (removed) => world.log.info({ removed, days }, 'audit events pruned'),
      (error: unknown) => world.log.warn({ err: error }, 'audit events were not pruned'),
    );
  void prune();
  const timer = setInterval(() => void prune(), EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
