/** The audit log lies in partitions by month, without a gap; what is past goes as a whole. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pruneAudit } from '../../src/audit/prune-audit.ts';
import { makeAuditPartitions } from '../../src/database/audit-partitions.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { grants } from '../../src/database/grants.ts';
import { createOrm } from '../../src/database/orm.ts';
import { newUuid } from '../../src/model/ids.ts';
import { asAdministrator } from '../support/administrator.ts';
import { createDatabase } from '../support/databases.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { type DatabaseKind, type Gateway, startGateway } from '../support/gateway.ts';

const insertAt = (database: Database, moment: string, count = 1, type = 'PACK_ATTACHED') =>
  database.query(
    `insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
     select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
         || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
       o.id, $3, 'key_x', $4, 'request', '{}', at
     from orgs o, (select date_trunc('month', now(), 'UTC') + $1::interval as at) moment, generate_series(1, $2)`,
    [moment, count, type, `pack_${newUuid()}`],
  );

const partitionsOf = async (database: Database): Promise<string[]> =>
  (
    await database.query<{ name: string; begins: string | null; ends: string | null }>(
      'select * from audit_partitions()',
      [],
    )
  ).map(({ name }) => name);

/** Where each event lies, and how many do there. */
const placesOf = async (database: Database): Promise<Record<string, number>> => {
  const rows = await database.query<{ place: string; count: number }>(
    `select /* across orgs: consistency */ tableoid::regclass::text as place, count(*)::int as count
     from audit_events group by 1`,
    [],
  );
  return Object.fromEntries(rows.map(({ place, count }) => [place, count]));
};

const monthName = (offset: number): string => {
  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset));
  return `audit_events_${month.toISOString().slice(0, 7).replace('-', '_')}`;
};

/** Cuts the first partition at the beginning of a month some months ago, as a service has it that was begun then. */
async function begunMonthsAgo(database: Database, months: number): Promise<void> {
  await database.query('drop table audit_events_earlier', []);
  const add = (name: string, begins: number | null, ends: number) =>
    database.query(
      `select add_audit_partition($1, ${[begins, ends]
        .map((at) =>
          at === null
            ? 'null'
            : `audit_uuid_at(date_trunc('month', now(), 'UTC') + interval '${at} months')`,
        )
        .join(', ')})`,
      [name],
    );
  await add('audit_events_earlier', null, -months);
  for (let month = -months; month <= 0; month += 1) await add(monthName(month), month, month + 1);
}

const AHEAD = [1, 2, 3].map(monthName);

describe.each(longDatabaseKinds)('on %s', (kind) => {
  const start = () => startGateway({ database: kind });

  test('there is a place for every event, be it of long ago or to come', async () => {
    const { app } = await start();
    const { database } = app.world;
    expect(await partitionsOf(database)).toEqual([
      'audit_events_earlier',
      ...AHEAD,
      'audit_events_later',
    ]);
    await insertAt(database, '-30 years');
    await insertAt(database, '1 month');
    await insertAt(database, '30 years');
    expect(await placesOf(database)).toEqual({
      audit_events_earlier: 1,
      [monthName(1)]: 1,
      audit_events_later: 1,
    });
  });

  test('no event is changed in its partition either', async () => {
    const { app } = await start();
    const { database } = app.world;
    await insertAt(database, '0');
    for (const partition of await partitionsOf(database)) {
      for (const sql of [
        `update ${partition} set actor = 'x'`,
        `delete from ${partition}`,
        `truncate ${partition}`,
      ]) {
        await expect(database.query(sql, [])).rejects.toThrow('audit events are never changed');
      }
    }
  });

  test('that a pack was deleted is never forgotten', async () => {
    const { app } = await start();
    const { database } = app.world;
    await insertAt(database, '0', 1, 'PACK_DELETED');
    for (const sql of [
      "update pack_deletions set subject_id = ''",
      'delete from pack_deletions',
      'truncate pack_deletions',
    ]) {
      await expect(database.query(sql, [])).rejects.toThrow('never forgotten');
    }
  });

  test('months are made ahead, and where nobody made any the events stay where they lie', async () => {
    const { app } = await start();
    const { database } = app.world;
    const keep = (months: number) =>
      database.query<{ made: number }>('select keep_audit_partitions($1) as made', [months]);
    expect(await makeAuditPartitions(database.query)).toBe(0);
    expect(await keep(5)).toEqual([{ made: 2 }]);
    expect(await partitionsOf(database)).toEqual([
      'audit_events_earlier',
      ...[1, 2, 3, 4, 5].map(monthName),
      'audit_events_later',
    ]);
    await insertAt(database, '6 months');
    await insertAt(database, '8 months', 2);
    expect(await keep(10)).toEqual([{ made: 2 }]);
    // One partition for all the months that nobody made one for, then a month each.
    expect((await partitionsOf(database)).slice(5)).toEqual([
      ...[5, 6, 9, 10].map(monthName),
      'audit_events_later',
    ]);
    expect(await placesOf(database)).toEqual({ [monthName(6)]: 3 });
    await insertAt(database, '20 months');
    await expect(database.query(`truncate ${monthName(6)}`, [])).rejects.toThrow('never changed');
  });

  test('what is past as a whole is dropped, the rest goes in batches, and an event of each org counts both', async () => {
    const gateway = await start();
    const { database } = gateway.app.world;
    const other = await gateway.org('other');
    await begunMonthsAgo(database, 4);
    await insertAt(database, '-9 months', 2);
    await insertAt(database, '-4 months', 3);
    await insertAt(database, '-2 months', 4);
    await insertAt(database, '-1 month', 5);
    await insertAt(database, '0', 6);
    // Some days into the month before this one.
    const days = (Date.now() - startOfMonth(-1) - 5 * 86_400_000) / 86_400_000;
    expect(await pruneAudit(gateway.app.world, days)).toBe(2 * (2 + 3 + 4 + 5));
    expect(await partitionsOf(database)).toEqual([
      'audit_events_earlier',
      ...[-1, 0].map(monthName),
      ...AHEAD,
      'audit_events_later',
    ]);
    for (const key of [undefined, other]) {
      const events = await eventsOf(gateway, key);
      expect(events.filter(({ type }) => type === 'PACK_ATTACHED')).toHaveLength(6);
      const pruned = events.filter(({ type }) => type === 'AUDIT_PRUNED');
      expect(pruned.map(({ details }) => details.removed).sort()).toEqual([2, 3, 4, 5]);
    }
    // Nothing more to do, and still a place for what is from then.
    expect(await pruneAudit(gateway.app.world, days)).toBe(0);
    expect(await partitionsOf(database)).toHaveLength(7);
    await insertAt(database, '-9 months');
    expect(await pruneAudit(gateway.app.world, days)).toBe(2);
  });

  test('an upgrade leaves every event where it lies, and remembers who was deleted', async () => {
    const { database, place } = await before(kind);
    await insertAt(database, '-3 months', 3);
    await insertAt(database, '0', 2, 'PACK_CREATED');
    await insertAt(database, '-1 day', 1, 'PACK_DELETED');
    const file = async (table: string) =>
      (
        await database.query<{ file: number }>(
          `select pg_relation_filenode($1::regclass) as file`,
          [table],
        )
      )[0]?.file;
    const lies = await file('audit_events');
    await database.migrate();
    expect(await file('audit_events_earlier')).toBe(lies);
    expect(await placesOf(database)).toEqual({ audit_events_earlier: 6 });
    expect(await database.query('select count(*)::int from pack_deletions', [])).toEqual([
      { count: 1 },
    ]);
    await expect(
      database.query(
        `insert into audit_events select gen_random_uuid(), org_id, type, actor, subject_id, request_id, details, created_at
         from audit_events where type = 'PACK_DELETED' and org_id is not null`,
        [],
      ),
    ).rejects.toThrow('audit_events_deleted_once');
    await database.close();
    const gateway = await startGateway({ environment: place });
    const key = await gateway.key('OWNER');
    const { id } = await gateway.pack('triage', { key });
    const { body } = await gateway.rest('DELETE', `/v1/packs/${id}`, { key });
    expect(body).toEqual({ status: 'deleted' });
  });
});

test('several processes may make months and drop them at once', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const { database } = gateway.app.world;
  await begunMonthsAgo(database, 6);
  for (let month = -6; month <= 0; month += 1)
    await insertAt(database, `${month} months 1 day`, 10);
  const days = (Date.now() - startOfMonth(-1)) / 86_400_000;
  const removed = await Promise.all(
    Array.from({ length: 4 }, () => pruneAudit(gateway.app.world, days)),
  );
  expect(removed.reduce((sum, each) => sum + each)).toBe(50);
  const pruned = (await eventsOf(gateway)).filter(({ type }) => type === 'AUDIT_PRUNED');
  expect(pruned.map(({ details }) => details.removed)).toEqual(Array(5).fill(10));
});

test('a role that may only read and write rows makes months ahead, and has its events through an upgrade', async () => {
  const { database, url } = await before('postgres');
  const clerk = `clerk_${newUuid().replaceAll('-', '').slice(-12)}`;
  await asAdministrator(url, `create role ${clerk} login password 'secret'`);
  onTestFinished(() => asAdministrator(url, `drop owned by ${clerk}`, `drop role ${clerk}`));
  await asAdministrator(
    url,
    ...Object.entries(grants).map(
      ([table, privileges]) => `grant ${privileges.join(', ')} on ${table} to ${clerk}`,
    ),
  );
  await database.migrate();
  const asClerk = new URL(url);
  asClerk.username = clerk;
  asClerk.password = 'secret';
  const gateway = await startGateway({ environment: { DATABASE_URL: asClerk.href } });
  const key = await gateway.key('OWNER');
  const { id } = await gateway.pack('triage', { key });
  expect((await gateway.rest('DELETE', `/v1/packs/${id}`, { key })).status).toBe(200);
  const { query } = gateway.app.world.database;
  expect(await query('select keep_audit_partitions(4) as made', [])).toEqual([{ made: 1 }]);
  for (const sql of ['delete from pack_deletions', 'select * from pack_deletions']) {
    await expect(query(sql, [])).rejects.toThrow('permission denied');
  }
  await database.close();
});

test('a table of events that somebody makes for himself is not what the functions of the owner work on', async () => {
  const { app } = await startGateway({ database: 'postgres' });
  const url = app.world.config.databaseUrl ?? '';
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`create temp table audit_events (like public.audit_events);
    create temp table pack_deletions (subject_id text)`);
  await client.query(
    `insert into public.audit_events select gen_random_uuid(), id, 'PACK_DELETED', 'a', 'pack_' || gen_random_uuid(), 'r', '{}', now() from orgs`,
  );
  const { rows } = await client.query(
    `select (select count(*)::int from public.pack_deletions) as kept, (select count(*)::int from pg_temp.pack_deletions) as fooled`,
  );
  expect(rows).toEqual([{ kept: 1, fooled: 0 }]);
});

test.each([
  [true, 'reads none of the old table'],
  [false, 'reads the old table'],
])('where a constraint tells where it ends: %s, an upgrade %s', async (isConstrained) => {
  const { database, url } = await before('postgres');
  await insertAt(database, '-1 month', 3);
  await database.close();
  if (isConstrained) {
    // As docs/scale.md has it.
    await asAdministrator(
      url,
      `do $$ begin execute format('alter table audit_events add constraint audit_events_end check (id < %L) not valid',
        (lpad(to_hex((extract(epoch from date_trunc('month', now(), 'UTC') + interval '1 month') * 1000)::bigint), 12, '0')
          || repeat('0', 20))::uuid); end $$`,
      'alter table audit_events validate constraint audit_events_end',
    );
  }
  const said: string[] = [];
  const pool = new pg.Pool({
    connectionString: url,
    options: '-c client_min_messages=debug1 -c TimeZone=America/New_York',
  });
  pool.on('connect', (client) => client.on('notice', ({ message }) => said.push(message ?? '')));
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  await createOrm({ kysely, driver: PostgreSqlDriver }).migrator.up();
  await kysely.destroy();
  const spared = said.includes(
    'partition constraint for table "audit_events_earlier" is implied by existing constraints',
  );
  expect(spared).toBe(isConstrained);
});

const startOfMonth = (offset: number): number => {
  const now = new Date();
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset);
};

async function eventsOf(gateway: Gateway, key?: string) {
  const { data } = await gateway.graphql(
    '{ auditEvents(first: 100) { nodes { type details } } }',
    {},
    key,
  );
  return data.auditEvents.nodes as { type: string; details: { removed: number } }[];
}

/** A database as the version before left it, with an org. */
async function before(kind: DatabaseKind) {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'before-'));
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }));
  const url = kind === 'postgres' ? await createDatabase('template0') : null;
  const database = await openDatabase({ url, dataDirectory });
  await database.orm.migrator.up({ to: '005-packs-of-others' });
  await database.query("insert into orgs (id, slug, created_at) values ($1, 'default', now())", [
    newUuid(),
  ]);
  const place = { DATA_DIR: dataDirectory, ...(url === null ? {} : { DATABASE_URL: url }) };
  return { database, place, url: url ?? '' };
}
