/** Audit events are kept for as long as the operator says. */
import {
  dropAuditPartitions,
  makeAuditPartitions,
  NOT_MADE_AHEAD,
} from '../database/audit-partitions.ts';
import { acrossOrgs } from '../database/cross-org.ts';
import type { Query } from '../database/gathered.ts';
import { firstUuidAt, newUuid, type OrgId } from '../model/ids.ts';
import { Org } from '../model/org.entity.ts';
import { rowsOf } from '../model/rows-of.ts';
import type { World } from '../world.ts';

/** Rows that one transaction removes: bounded, so that no lock is held for long; each leaves one event. */
const BATCH = 10_000;
const EVERY_MS = 6 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

const orgRows = rowsOf(Org, 'o', ['id']);

/**
 * Removes every org's events that are older than so many days: whole partitions first, then in batches what the rest
 * begins with. An `AUDIT_PRUNED` event of each org says how many went, which the database writes in the same transaction
 * (migration 006). Several replicas may do it at once.
 * @returns how many were removed
 */
export function pruneAudit({ database }: Pick<World, 'database'>, days: number): Promise<number> {
  const olderThan = new Date(Date.now() - days * DAY_MS);
  const run = newUuid();
  return database.patiently(async (query) => {
    let total = await dropAuditPartitions(query, olderThan.toISOString(), run);
    const orgs = await query<object>(
      `select ${acrossOrgs('retention')} ${orgRows.columns} from orgs o
       where exists (select from audit_events e where e.org_id = o.id and e.id < $1) order by o.id`,
      [firstUuidAt(olderThan)],
    );
    for (const { id } of orgs.map(orgRows.ofRecord)) {
      for (let removed = BATCH; removed === BATCH; total += removed) {
        removed = await pruneBatch(query, id, olderThan.toISOString(), run);
      }
    }
    return total;
  });
}

async function pruneBatch(
  query: Query,
  org: OrgId,
  olderThan: string,
  run: string,
): Promise<number> {
  const [row] = await query<{ removed: number }>(
    'select prune_audit_events($1::uuid, $2, $3, $4) as removed',
    [org, olderThan, BATCH, run],
  );
  return row?.removed ?? 0;
}

/** Makes room for the months to come, and prunes where that was asked for, now and then until it is disposed of. */
export function keepAudit(world: Pick<World, 'config' | 'database' | 'log'>): Disposable {
  const { config, database, log } = world;
  const days = config.auditRetentionDays;
  const prune = async () => {
    if (days === null) return;
    await pruneAudit(world, days).then(
      (removed) => log.info({ removed, days }, 'audit events pruned'),
      (error: unknown) => log.warn({ err: error }, 'audit events were not pruned'),
    );
  };
  const keep = async () => {
    await database
      .patiently(makeAuditPartitions)
      .catch((error: unknown) => log.warn({ err: error }, NOT_MADE_AHEAD));
    await prune();
  };
  // The start has made room already.
  void prune();
  const timer = setInterval(() => void keep(), EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
