/** What roles and databases are set to must not change what our statements mean. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { openMigratedDatabase } from '../../src/database/open-migrated.ts';
import { refusedMigration, run } from '../process/run.ts';
import { asAdministrator, nameOf } from '../support/administrator.ts';
import { createDatabase } from '../support/databases.ts';
import { isSweep, triedOrSwept } from '../support/extent.ts';
import { startGateway } from '../support/gateway.ts';

/** A migrated database on which sessions begin with these settings. */
async function databaseWith(...settings: string[]): Promise<string> {
  const url = await createDatabase();
  const all = settings.map((setting) => `alter database ${nameOf(url)} set ${setting}`);
  await asAdministrator(url, ...all);
  return url;
}

/** Settings are tried together, of two for the same the later one, and each by itself is swept. */
const together = (settings: readonly string[]): [string, readonly string[]][] =>
  isSweep ? settings.map((one) => [one, [one]]) : [['all of them are set', settings]];

const readings = [
  `datestyle = 'SQL, DMY'`,
  `datestyle = 'German'`,
  `timezone = 'Asia/Kathmandu'`,
  `bytea_output = 'escape'`,
  `intervalstyle = 'iso_8601'`,
];
test.each(together(readings))('times and keys are read rightly where %s', async (_where, set) => {
  const gateway = await startGateway({
    environment: { DATABASE_URL: await databaseWith(...set) },
  });
  await gateway.app.world.database.query(
    `update api_keys set created_at = '2026-05-11 10:00:00+00' where org_id is not null`,
    [],
  );
  const { data } = await gateway.graphql('{ apiKeys(first: 1) { nodes { createdAt } } }');
  expect(data.apiKeys.nodes).toEqual([{ createdAt: '2026-05-11T10:00:00.000Z' }]);
});

test('a backslash in what a caller writes means itself, whatever the server thinks of strings', async () => {
  const gateway = await startGateway({
    environment: { DATABASE_URL: await databaseWith('standard_conforming_strings = off') },
  });
  const displayName = String.raw`a\' || version() || '\\b`;
  const { data } = await gateway.graphql(
    `mutation ($displayName: String!) {
      createAgentRole(input: { name: "r", displayName: $displayName, environment: STAGING }) {
        ... on CreatedAgentRole { role { displayName } }
      }
    }`,
    { displayName },
  );
  expect(data.createAgentRole.role).toEqual({ displayName });
});

test('a database that cannot hold every text is refused in one line', async () => {
  const name = nameOf(await createDatabase('template0'));
  await asAdministrator(
    `${inject('postgres')}/postgres`,
    `drop database ${name}`,
    `create database ${name} encoding 'LATIN1' locale 'C' template template0`,
  );
  const ended = await refusedMigration({ DATABASE_URL: `${inject('postgres')}/${name}` });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^DATABASE_URL: .*encoding LATIN1.*UTF8.*\n$/);
});

test.each(['src/migrate.ts', 'src/main.ts'])(
  'a database that takes no writes is refused in one line by %s',
  async (script) => {
    const DATABASE_URL = await databaseWith('default_transaction_read_only = on');
    const ended = await run(script, { DATABASE_URL, PORT: '0' });
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toMatch(/^DATABASE_URL: .*takes no writes.*target_session_attrs.*\n$/);
  },
);

test('/readyz says read_only, and connections that were so are not kept', async () => {
  const DATABASE_URL = await createDatabase();
  const gateway = await startGateway({ environment: { DATABASE_URL } });
  const database = nameOf(DATABASE_URL);
  const turn = (state: 'on' | 'off') =>
    asAdministrator(
      `${inject('postgres')}/postgres`,
      `alter database ${database} set default_transaction_read_only = ${state}`,
    );
  const change = async (name: string) => {
    const { data, errors } = await gateway.graphql(
      `mutation ($name: String!) { createAgentRole(input: { name: $name }) { __typename } }`,
      { name },
    );
    return data?.createAgentRole?.__typename ?? errors[0].extensions.code;
  };
  // Several connections, so that some of them are idle at each turn.
  const many = () =>
    Promise.all(Array.from({ length: 12 }, () => gateway.graphql('{ packs { totalCount } }')));
  await many();
  await turn('on');
  await asAdministrator(
    `${inject('postgres')}/postgres`,
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${database}'`,
  );
  await expect.poll(() => change('before')).toBe('SERVICE_UNAVAILABLE');
  // It asks its parts at most once a second.
  const readiness = () => gateway.rest('GET', '/readyz', { key: null });
  await expect.poll(readiness).toMatchObject({
    status: 503,
    headers: expect.toSatisfy((headers: Headers) => Number(headers.get('retry-after')) > 0),
    body: { status: 'not ready', database: 'read_only' },
  });
  for (const { data } of await many()) expect(data).toEqual({ packs: { totalCount: 0 } });
  await turn('off');
  // No connection is ended by the server: they are found out by what they answer.
  await expect.poll(() => change('after')).toBe('CreatedAgentRole');
  expect(await change('and-ever-after')).toBe('CreatedAgentRole');
  await expect.poll(readiness).toMatchObject({ status: 200 });
});

test('a statement_timeout that a DBA has set for requests does not end a migration', async () => {
  const url = await createDatabase('template0');
  await asAdministrator(
    url,
    `alter database ${nameOf(url)} set statement_timeout = '150ms'`,
    // PostgreSQL has it from 17 on.
    `do $$ begin alter database ${nameOf(url)} set transaction_timeout = '250ms'; exception when undefined_object then null; end $$`,
    // Stands for a large table: the first statement of the migration takes longer than that.
    `create function slow() returns event_trigger language plpgsql as $$ begin perform pg_sleep(0.3); end $$`,
    `create event trigger slow on ddl_command_start when tag in ('CREATE TRIGGER') execute function slow()`,
  );
  const database = await openMigratedDatabase({ databaseUrl: url, dataDirectory: '/nowhere' });
  onTestFinished(() => database.close());
  expect(await database.state()).toBe('ok');
});

test('no migration is too long for the shortest timeouts that there are', async () => {
  const DATABASE_URL = await createDatabase('template0');
  await asAdministrator(
    DATABASE_URL,
    ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'].map(
      (setting) => `alter database ${nameOf(DATABASE_URL)} set ${setting} = '1ms'`,
    ),
  );
  expect(await run('src/migrate.ts', { DATABASE_URL })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('a failed authentication ends the migration at once, and names what is missing', async () => {
  const url = new URL(await createDatabase());
  url.password = '';
  const ended = await refusedMigration({ DATABASE_URL: url.href });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^DATABASE_URL: .*holds no password.*\n$/);
});

test.each([
  ['by options=', (name: string) => [`create schema ${name}`]],
  [
    'by the role',
    (name: string) => [`create schema ${name}`, `alter role ${name} set search_path = ${name}`],
  ],
  ['as "$user"', (name: string) => [`create schema ${name} authorization ${name}`]],
])('a schema named %s is used by the first start and by every later one', async (way, prepare) => {
  const url = new URL(await createDatabase('template0'));
  const name = `tenant_${nameOf(url.href).slice(-12)}`;
  await asAdministrator(
    url.href,
    `create role ${name} login superuser password 'secret'`,
    ...prepare(name),
  );
  url.username = name;
  url.password = 'secret';
  if (way === 'by options=') url.search = `?options=-csearch_path%3D${name}`;
  for (let start = 1; start <= 2; start += 1) {
    const place = { databaseUrl: url.href, dataDirectory: '/nowhere' };
    const database = await openMigratedDatabase(place);
    expect(await database.state()).toBe('ok');
    const tables = await database.query(
      `select distinct schemaname from pg_tables where tablename in ('packs', 'mikro_orm_migrations')`,
      [],
    );
    expect(tables).toEqual([{ schemaname: name }]);
    await database.close();
  }
  await asAdministrator(url.href, `drop schema ${name} cascade`);
  await asAdministrator(`${inject('postgres')}/postgres`, `alter role ${name} nologin`);
});

test.each(triedOrSwept(['a"b', 'My.Schema', 'two words', 'UPPER', 'straße'], 1))(
  'a schema whose name has to be quoted, %s, is used by the first start and by every later one',
  async (schema) => {
    const url = await createDatabase('template0');
    const quoted = `"${schema.replaceAll('"', '""')}"`;
    await asAdministrator(
      url,
      `create schema ${quoted}`,
      `alter database ${nameOf(url)} set search_path = ${quoted}`,
    );
    for (let start = 1; start <= 2; start += 1) {
      const database = await openMigratedDatabase({ databaseUrl: url, dataDirectory: '/nowhere' });
      expect(await database.state()).toBe('ok');
      const tables = await database.query(
        `select distinct schemaname from pg_tables where tablename in ('packs', 'mikro_orm_migrations')`,
        [],
      );
      expect(tables).toEqual([{ schemaname: schema }]);
      await database.close();
    }
  },
);

test('a role or database whose triggers and foreign keys are off is refused', async () => {
  const DATABASE_URL = await databaseWith('session_replication_role = replica');
  const ended = await refusedMigration({ DATABASE_URL });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^DATABASE_URL: .*session_replication_role.*\n$/);
});

test('a server that may lose what it acknowledged is warned about', async () => {
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  for (const setting of ['on', 'off']) {
    const databaseUrl = await databaseWith(`synchronous_commit = ${setting}`);
    const database = await openMigratedDatabase(
      { databaseUrl, dataDirectory: '/nowhere' },
      { onWarning },
    );
    await database.close();
  }
  expect(warnings).toEqual([expect.stringContaining('synchronous_commit')]);
});

const settings = [
  `extra_float_digits = 0`,
  `client_encoding = 'LATIN1'`,
  `array_nulls = off`,
  `gin_fuzzy_search_limit = 1`,
  `plpgsql.variable_conflict = 'use_column'`,
  `plpgsql.extra_errors = 'all'`,
  `default_transaction_isolation = 'serializable'`,
  `default_toast_compression = 'pglz'`,
  `transform_null_equals = on`,
  `xmlbinary = hex`,
  `default_transaction_deferrable = on`,
  `row_security = off`,
  `lock_timeout = '1h'`,
  `idle_session_timeout = '1s'`,
  `idle_in_transaction_session_timeout = '1ms'`,
  `statement_timeout = '50s'`,
  `client_min_messages = debug1`,
];

test.each(together(settings))('all works where %s', async (_where, set) => {
  const gateway = await startGateway({
    environment: { DATABASE_URL: await databaseWith(...set) },
  });
  const displayName = 'Größe ✓ 日本 null {}';
  const { id } = await gateway.pack('triage');
  const { data } = await gateway.graphql(
    `mutation ($displayName: String!, $packIds: [ID!]) {
      createAgentRole(input: { name: "r", displayName: $displayName, packIds: $packIds }) {
        ... on CreatedAgentRole { role { id displayName } }
      }
    }`,
    { displayName, packIds: [id] },
  );
  expect(data.createAgentRole.role.displayName).toBe(displayName);
  expect(await gateway.rest('DELETE', `/v1/packs/${id}`)).toMatchObject({ status: 409 });
  await gateway.graphql('mutation ($id: ID!) { detachPackFromRoles(packId: $id) { __typename } }', {
    id,
  });
  expect(await gateway.rest('DELETE', `/v1/packs/${id}`)).toMatchObject({ status: 200 });
});

test('what options= sets and the service sets as well is warned about, and nothing else is', async () => {
  const warnings: string[] = [];
  const settings = '-c DateStyle=German --lock-timeout=9s -cstatement_timeout=30s -c work_mem=8MB';
  const database = await openMigratedDatabase(
    {
      databaseUrl: `${await createDatabase()}?options=${encodeURIComponent(settings)}`,
      dataDirectory: '/nowhere',
    },
    { onWarning: (message) => warnings.push(message) },
  );
  onTestFinished(() => database.close());
  expect(warnings).toEqual([
    expect.stringContaining('DateStyle'),
    expect.stringContaining('lock-timeout'),
  ]);
  const shown = await database.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('lock_timeout', 'work_mem') order by name`,
    [],
  );
  expect(shown.map(({ setting }) => setting)).toEqual(['5000', '8192']);
});

test('what DATABASE_LISTEN_URL asks for is warned about like what DATABASE_URL does', async () => {
  const warnings: string[] = [];
  const databaseUrl = await createDatabase();
  const parameters = 'sslmode=require&options=-cDateStyle%3DGerman&pgbouncer=true';
  const database = await openMigratedDatabase(
    { databaseUrl, databaseListenUrl: `${databaseUrl}?${parameters}`, dataDirectory: '/nowhere' },
    { onWarning: (message) => warnings.push(message) },
  );
  onTestFinished(() => database.close());
  expect(warnings).toEqual([
    expect.stringMatching(/^DATABASE_LISTEN_URL: sslmode=require/),
    expect.stringMatching(/^DATABASE_LISTEN_URL: .*DateStyle/),
    expect.stringContaining('packEvents are refused'),
  ]);
});

test('a search_path that leads nowhere is refused', async () => {
  const url = await createDatabase('template0');
  const place = {
    databaseUrl: `${url}?options=-csearch_path%3Dnowhere`,
    dataDirectory: '/nowhere',
  };
  await expect(openMigratedDatabase(place)).rejects.toThrow(/search_path/);
});

test('a session is set once, however many statements it sends', async () => {
  const url = await createDatabase();
  const sent: string[] = [];
  const database = await openDatabase(
    { url, dataDirectory: '/nowhere' },
    { onStatement: ({ sql }) => sent.push(sql) },
  );
  onTestFinished(() => database.close());
  for (let number = 0; number < 5; number += 1) await database.query('select 1', []);
  expect(sent).toEqual(Array(5).fill('select 1'));
});

test('what is closed keeps no connection, so that a migration ends when it is done', async () => {
  let connections = () => -1;
  const database = await openMigratedDatabase(
    { databaseUrl: await createDatabase(), dataDirectory: '/nowhere' },
    {
      onPool: (read) => {
        connections = () => read().total;
      },
    },
  );
  await database.query('select 1', []);
  expect(connections()).toBeGreaterThan(0);
  await database.close();
  expect(connections()).toBe(0);
});
