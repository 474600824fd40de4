/** Times one server under one workload, once. */
import type pg from 'pg';
import { addDeletablePacks, type DataSet, removeDeletablePacks } from './data-set.ts';
import type { LoadGenerator } from './load-generator.ts';
import type { Options } from './options.ts';
import type { Server } from './servers.ts';
import type { Workload } from './workloads.ts';

/** What there is to delete; a server so fast that it deletes all of it has a shorter run. */
const DELETIONS_PER_SECOND = 5_000;

export interface Sample {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time of the server's process per request, microseconds. */
  readonly cpuMicros: number | null;
  /** SQL statements per request, those of transactions included. */
  readonly statements: number;
  /** Resident memory of the server's process at the end, bytes. */
  readonly rss: number | null;
}

/** @throws Error at a wrong answer: figures of a server that fails mean nothing */
export async function measure(
  database: pg.Client,
  load: LoadGenerator,
  server: Server,
  workload: Workload,
  data: DataSet,
  { seconds, warmUpSeconds, connections }: Options,
): Promise<Sample> {
  const deleting = workload === 'W4';
  const supply = Math.ceil(DELETIONS_PER_SECOND * (seconds + warmUpSeconds));
  const ids = deleting
    ? await addDeletablePacks(database, data.deletingOrgId, supply)
    : subjects(workload, data);
  await database.query('checkpoint');
  await database.query('select pg_stat_statements_reset()');
  const result = await load.run({
    origin: server.origin,
    requests: ids.map((id) => server.dialect.request(workload, id, data)),
    once: deleting,
    connections,
    warmUpMs: warmUpSeconds * 1_000,
    timedMs: seconds * 1_000,
    pid: server.pid,
  });
  const statements = await statementsSinceReset(database);
  if (deleting) await removeDeletablePacks(database, data.deletingOrgId);
  if (result.errors > 0 || result.requests === 0) {
    const what = `${server.name} under ${workload}: ${result.errors} wrong answers`;
    throw new Error(`${what} of ${result.total}, the first: ${result.firstError}`);
  }
  return {
    requestsPerSecond: (result.requests / result.timedMs) * 1_000,
    p50: result.p50,
    p99: result.p99,
    cpuMicros: result.cpuMicros === null ? null : result.cpuMicros / result.requests,
    statements: statements / result.total,
    rss: result.rss,
  };
}

function subjects(workload: Workload, data: DataSet): readonly string[] {
  if (workload === 'W2') return [''];
  // In no order, so that neighbours in the list are none on the disk.
  const ids = workload === 'W3' ? data.packsInUse : data.packs;
  return ids.toSorted((a, b) => a.slice(-8).localeCompare(b.slice(-8)));
}

/** What the servers sent; functions' inner statements and the bench's own are left out. */
async function statementsSinceReset(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ calls: string }>(
    `select coalesce(sum(calls), 0) as calls from pg_stat_statements
     where query not like '%pg_stat_statements%'`,
  );
  return Number(rows[0]?.calls);
}
