/** Before anything is timed: every server must mean the same, and refuse a caller without a key. */
import { deepStrictEqual } from 'node:assert/strict';
import type pg from 'pg';
import { addDeletablePacks, type DataSet } from './data-set.ts';
import type { LoadRequest } from './load-job.ts';
import type { Server } from './servers.ts';
import type { Workload } from './workloads.ts';

/** @throws AssertionError that shows the difference */
export async function compareAnswers(
  database: pg.Client,
  servers: readonly Server[],
  data: DataSet,
): Promise<void> {
  const [reference, ...others] = servers;
  if (reference === undefined) return;
  const subjects: [Workload, string][] = [
    ...data.packs.slice(0, 3).map((id): [Workload, string] => ['W1', id]),
    ['W2', ''],
    ...data.packsInUse.slice(0, 3).map((id): [Workload, string] => ['W3', id]),
  ];
  for (const [workload, id] of subjects) {
    const expected = await meaning(reference, workload, id, data);
    for (const server of others) {
      const message = `${server.name} and ${reference.name} differ on ${workload}`;
      equal(await meaning(server, workload, id, data), expected, message);
    }
  }
  for (const server of servers) {
    await deletes(database, server, data);
    await refusesStrangers(server, data);
  }
}

async function deletes(database: pg.Client, server: Server, data: DataSet): Promise<void> {
  const [id = ''] = await addDeletablePacks(database, data.deletingOrgId, 1);
  const { rows } = await database.query('select name from packs where id = $1', [id]);
  const answer = await meaning(server, 'W4', id, data);
  equal(answer, { deleted: id, name: rows[0].name }, `${server.name} did not delete`);
  const after = await database.query(
    `select (select count(*)::int from packs where id = $1) as packs,
       (select count(*)::int from audit_events
        where subject_id = $2 and type = 'PACK_DELETED' and org_id = $3) as events`,
    [id, `pack_${id}`, data.deletingOrgId],
  );
  equal(after.rows[0], { packs: 0, events: 1 }, `${server.name} left something else behind`);
}

async function refusesStrangers(server: Server, data: DataSet): Promise<void> {
  const stranger = { ...data, key: `${data.key}x`, deletingKey: `${data.deletingKey}x` };
  const request = server.dialect.request('W1', data.packs[0] ?? '', stranger);
  const text = await send(server, request);
  if (text.includes(request.mark)) throw new Error(`${server.name} answers a stranger: ${text}`);
}

async function meaning(
  server: Server,
  workload: Workload,
  id: string,
  data: DataSet,
): Promise<unknown> {
  const text = await send(server, server.dialect.request(workload, id, data));
  try {
    return server.dialect.meaning(workload, JSON.parse(text));
  } catch (error) {
    throw new Error(`${server.name} answered ${workload} with ${text}`, { cause: error });
  }
}

async function send({ origin }: Server, { path, ...request }: LoadRequest): Promise<string> {
  return (await fetch(`${origin}${path}`, request)).text();
}

function equal(actual: unknown, expected: unknown, message: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    throw new Error(message, { cause: error });
  }
}
