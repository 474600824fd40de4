/** Every connection to PostgreSQL waits behind somebody's lock: callers are told in bounded time, and it passes. */
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { query } from '../../src/database/database.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const PACKS = '{ packs { nodes { name } } }';

test('while a lock fills the pool every request is answered with a code, and afterwards all is well', {
  timeout: 180_000,
}, async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const pack = await gateway.pack('triage');
  const locker = new pg.Client(gateway.environment.DATABASE_URL);
  await locker.connect();
  onTestFinished(() => locker.end());
  await locker.query('begin');
  await locker.query('lock table packs in access exclusive mode');

  let answered = 0;
  const reads = Array.from({ length: 14 }, () =>
    gateway.graphql(PACKS).finally(() => {
      answered += 1;
    }),
  );
  const deletion = gateway.rest('DELETE', `/v1/packs/${pack.id}`);
  const rest = Array.from({ length: 6 }, () => gateway.rest('GET', '/v1/packs'));
  await expect.poll(() => poolOf(gateway)).toBeGreaterThan(0);
  expect((await gateway.rest('GET', '/healthz')).status).toBe(200);
  const readiness = await gateway.rest('GET', '/readyz');
  expect(readiness).toMatchObject({ status: 503, body: { status: 'not ready' } });
  // Sooner than those who wait for the lock or for a connection.
  expect(answered).toBe(0);

  for (const answer of await Promise.all(reads)) {
    expect(answer.errors).toMatchObject([
      { extensions: { code: 'SERVICE_UNAVAILABLE', requestId: expect.any(String) } },
    ]);
  }
  for (const answer of [await deletion, ...(await Promise.all(rest))]) {
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
  }
  // All of it although the lock is still there.
  await locker.query('rollback');
  expect(await gateway.graphql(PACKS)).toEqual({
    data: { packs: { nodes: [{ name: 'triage' }] } },
  });
  expect((await gateway.rest('GET', '/readyz')).status).toBe(200);
  expect((await gateway.rest('DELETE', `/v1/packs/${pack.id}`)).status).toBe(200);
});

/** How many statements wait for a connection, as operators see it. */
async function poolOf({ app }: Awaited<ReturnType<typeof startGateway>>): Promise<number> {
  const metrics = await (await app.fetch(new Request('http://gateway/metrics'))).text();
  return Number(/state="waiting"\} (\d+)/.exec(metrics)?.[1] ?? 0);
}

test('connections that break within a transaction are replaced, more of them than the pool holds', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  for (let round = 0; round < 3; round += 1) await breakTransactions(gateway, MOST_WRITES);
  expect(await gateway.graphql(PACKS)).toEqual({ data: { packs: { nodes: [] } } });
});

/** As many as may be under way at a moment: reads keep the rest of the pool. */
const MOST_WRITES = 7;

async function breakTransactions(gateway: Gateway, count: number): Promise<void> {
  const { database } = gateway.app.world;
  const entered = Array.from({ length: count }, () => Promise.withResolvers<void>());
  const leave = Promise.withResolvers<void>();
  const broken = entered.map(({ resolve }) =>
    database.acrossOrgs('consistency').transactional(async (em) => {
      await query(em, 'select 1', []);
      resolve();
      await leave.promise;
    }),
  );
  const outcomes = Promise.allSettled(broken);
  await Promise.all(entered.map(({ promise }) => promise));
  const killer = new pg.Client(gateway.environment.DATABASE_URL);
  await killer.connect();
  await killer.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  );
  await killer.end();
  leave.resolve();
  expect((await outcomes).map(({ status }) => status)).toEqual(Array(count).fill('rejected'));
}

test('transactions that wait to be committed leave reads their turn', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const { database } = gateway.app.world;
  const entered = Array.from({ length: MOST_WRITES }, () => Promise.withResolvers<void>());
  const leave = Promise.withResolvers<void>();
  let late = 0;
  const transactions = Array.from({ length: 30 }, (_, index) =>
    database.acrossOrgs('consistency').transactional(async (em) => {
      await query(em, 'select 1', []);
      if (index >= MOST_WRITES) late += 1;
      entered[index]?.resolve();
      await leave.promise;
    }),
  );
  await Promise.all(entered.map(({ promise }) => promise));
  expect(await gateway.graphql(PACKS)).toEqual({ data: { packs: { nodes: [] } } });
  expect(late).toBe(0);
  leave.resolve();
  await Promise.all(transactions);
  expect(late).toBe(30 - MOST_WRITES);
});

test('a process that stands still in a transaction does not keep its locks for ever', {
  timeout: 180_000,
}, async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await gateway.pack('triage');
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const stuck = gateway.app.world.database.acrossOrgs('consistency').transactional(async (em) => {
    await query(em, 'lock table packs in access exclusive mode', []);
    entered.resolve();
    await leave.promise;
  });
  await entered.promise;
  await expect
    .poll(() => gateway.graphql(PACKS), { interval: 200 })
    .toMatchObject({ data: { packs: { nodes: [{ name: 'triage' }] } } });
  leave.resolve();
  await expect(stuck).rejects.toThrow();
});

test('noting the use of a key waits for nobody who holds its row', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const locker = new pg.Client(gateway.environment.DATABASE_URL);
  await locker.connect();
  onTestFinished(() => locker.end());
  await locker.query('update api_keys set last_used_at = null');
  await locker.query('begin');
  await locker.query('select 1 from api_keys for update');
  expect(await gateway.graphql(PACKS)).toEqual({ data: { packs: { nodes: [] } } });
  const { rows } = await locker.query(
    `select query from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
  expect(rows).toEqual([]);
});
