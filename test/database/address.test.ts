/** DATABASE_URL in the forms that other tools write. */
import { connect, createServer, type Server } from 'node:net';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/database/database.ts';
import { parseAddress } from '../../src/database-address/address.ts';
import { asAdministrator, nameOf } from '../support/administrator.ts';
import { createDatabase } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';

const hostsOf = (text: string) =>
  parseAddress(text, {}).candidates.map(({ client }) => [client.host, client.port]);

describe('is understood', () => {
  test.each([
    ['postgres://u:p@h/db', [['h', undefined]]],
    ['postgresql://u@h:5433/db', [['h', 5433]]],
    ['postgres://u@[::1]:5433/db', [['::1', 5433]]],
    [
      'postgres://u@h1:1,h2:2/db',
      [
        ['h1', 1],
        ['h2', 2],
      ],
    ],
    [
      'postgres://u@h1,[fe80::1]:6/db',
      [
        ['h1', undefined],
        ['fe80::1', 6],
      ],
    ],
    [
      'postgresql:///db?host=h1,h2&port=7',
      [
        ['h1', 7],
        ['h2', 7],
      ],
    ],
    ['postgresql://u:p@/db?host=/cloudsql/a:b:c', [['/cloudsql/a:b:c', undefined]]],
    ['postgresql://u@%2Fvar%2Frun/db', [['/var/run', undefined]]],
    ['postgres://u@name/db?hostaddr=10.0.0.1', [['10.0.0.1', undefined]]],
    ['postgres:///db', [[undefined, undefined]]],
    // A secret's file ends in a line break.
    ['postgres://h/db\n', [['h', undefined]]],
    [
      'postgresql://u@/db?host=h1,h2&hostaddr=10.0.0.1,10.0.0.2&port=1,2',
      [
        ['10.0.0.1', 1],
        ['10.0.0.2', 2],
      ],
    ],
    [
      'postgresql://u@/db?host=/var/run,h&port=5433',
      [
        ['/var/run', 5433],
        ['h', 5433],
      ],
    ],
    ['postgresql://u@%2Fvar%2Frun:5433/db?application_name=a%20b', [['/var/run', 5433]]],
  ] as const)('%s', (text, hosts) => {
    expect(hostsOf(text)).toEqual(hosts);
  });

  test('a password with every special character, percent-encoded', () => {
    const password = `a@b:c/d?e#f%g&h=i+j k"l'`;
    const { candidates } = parseAddress(`postgres://u:${encodeURIComponent(password)}@h/db`, {});
    expect(candidates[0].client).toMatchObject({ user: 'u', password, database: 'db' });
  });

  test.each([
    ['true', 'transaction'],
    ['1', 'transaction'],
    ['TRUE', 'transaction'],
    ['prepared', 'prepared'],
    ['session', 'session'],
    ['false', 'session'],
    ['transaction', 'transaction'],
  ])('?pgbouncer=%s', (value, pooler) => {
    expect(parseAddress(`postgres://h/db?pgbouncer=${value}`, {}).pooler).toBe(pooler);
  });

  test.each([
    ['connect_timeout=7', { connectTimeoutMs: 7000 }],
    ['target_session_attrs=any', { mustWrite: false }],
    ['target_session_attrs=read-write', { mustWrite: true }],
    ['target_session_attrs=primary', { mustWrite: true }],
    ['channel_binding=require', { requiresChannelBinding: true }],
  ])('?%s', (parameters, meaning) => {
    expect(parseAddress(`postgres://h/db?${parameters}`, {})).toMatchObject(meaning);
  });

  test.each([
    ['options=-c%20work_mem%3D8MB', { options: '-c work_mem=8MB' }],
    ['application_name=mine', { application_name: 'mine' }],
    ['fallback_application_name=mine', { application_name: 'mine' }],
    ['keepalives=0', { keepAlive: false }],
    ['keepalives_idle=30', { keepAlive: true, keepAliveInitialDelayMillis: 30_000 }],
    ['user=a&password=b%2Fc&dbname=d', { user: 'a', password: 'b/c', database: 'd' }],
  ])('?%s goes to the driver', (parameters, config) => {
    const { candidates } = parseAddress(`postgres://h/db?${parameters}`, {});
    expect(candidates[0].client).toMatchObject(config);
  });

  test("libpq's variables, for what the address does not say", () => {
    const environment = {
      PGAPPNAME: 'mine',
      PGCONNECT_TIMEOUT: '7',
      PGTARGETSESSIONATTRS: 'read-write',
      PGCHANNELBINDING: 'require',
    };
    expect(parseAddress('postgres://h/db', environment)).toMatchObject({
      connectTimeoutMs: 7000,
      mustWrite: true,
      requiresChannelBinding: true,
      candidates: [{ client: { application_name: 'mine' } }],
    });
    const said = parseAddress(
      'postgres://h/db?connect_timeout=3&target_session_attrs=any',
      environment,
    );
    expect(said).toMatchObject({ connectTimeoutMs: 3000, mustWrite: false });
  });

  test.each([
    ['postgres:///db', ['h1:1', '::1:2', '/run:1']],
    ['postgres://:7/db', ['h1:7', '::1:7', '/run:7']],
    ['postgres://h/db', ['h:1']],
    ['postgres://h:7/db', ['h:7']],
  ])('%s, with lists in PGHOST and PGPORT', (address, hosts) => {
    const environment = {
      PGHOST: 'h1,::1,/run',
      PGPORT: address.includes('h') ? '1' : '1,2,1',
      PGSSLMODE: 'verify-full',
    };
    const { candidates, mustWrite } = parseAddress(address, environment);
    expect(candidates.map(({ client }) => `${client.host}:${client.port}`)).toEqual(hosts);
    expect(mustWrite).toBe(hosts.length > 1);
    // The certificate must be for the host that is asked.
    for (const { client } of candidates) {
      if (client.host?.startsWith('/')) expect(client.ssl).toBe(false);
      else expect(client.ssl).toMatchObject({ host: client.host });
    }
  });

  test('variables that are not read are warned about', () => {
    expect(parseAddress('postgres://h/db', { PGSERVICE: 'x', PGHOSTADDR: '::1' }).warnings).toEqual(
      [expect.stringContaining('PGSERVICE'), expect.stringContaining('PGHOSTADDR')],
    );
    expect(() => parseAddress('postgres://h/db', { PGTARGETSESSIONATTRS: 'standby' })).toThrow(
      /PGTARGETSESSIONATTRS=standby.*read-write/,
    );
  });

  test('prefer and allow try both, with TLS and without', () => {
    const encrypted = (mode: string) =>
      parseAddress(`postgres://h/db?sslmode=${mode}`, {}).candidates.map(
        ({ client }) => client.ssl !== false,
      );
    expect(encrypted('prefer')).toEqual([true, false]);
    expect(encrypted('allow')).toEqual([false, true]);
    expect(encrypted('require')).toEqual([true]);
    expect(encrypted('disable')).toEqual([false]);
  });

  test('a mode that believes every certificate is warned about', () => {
    expect(parseAddress('postgres://h/db?sslmode=require', {}).warnings).toEqual([
      expect.stringMatching(/sslmode=require.*verify-full/),
    ]);
    expect(parseAddress('postgres://h/db?sslmode=verify-full', {}).warnings).toEqual([]);
  });
});

describe('is refused, in words that name what is wrong', () => {
  test.each([
    ['mysql://h/db', /postgres:\/\//],
    ['postgres://u:p@ss@h/db', /percent-encoded.*%40/],
    ['postgres://u:p/w@h/db', /percent-encoded.*%2F/],
    ['postgres://u:p?w@h/db', /percent-encoded.*%3F/],
    ['postgres://u:p#w@h/db', /percent-encoded.*%23/],
    ['postgres://u@h:99999/db', /port "99999"/],
    ['postgres://u@h:x/db', /host "h:x"/],
    ['postgres:///db?host=a,b,c&port=1,2', /2 ports for 3 hosts/],
    ['postgres://h/db?schema=tenant', /"schema".*options=-csearch_path%3Dtenant/],
    ['postgres://h/db?currentSchema=tenant', /"currentSchema".*options=/],
    ['postgres://h/db?connection_limit=1', /"connection_limit"/],
    ['postgres://h/db?__proto__=1', /"__proto__"/],
    ['postgres://h/db?constructor=1', /"constructor"/],
    ['postgres://h/db?sslmode=requir', /sslmode=requir.*verify-full/],
    ['postgres://h/db?sslmode=require&sslmode=disable', /"sslmode" twice/],
    ['postgres://h/db?sslmode=verify-ca', /sslrootcert/],
    ['postgres://h/db?sslmode=require&sslrootcert=system', /verify-full/],
    [
      'postgres://h/db?sslmode=verify-full&sslrootcert=/no/such/file',
      /sslrootcert=\/no\/such\/file/,
    ],
    ['postgres://h/db?sslmode=require&sslcert=/a', /sslkey together/],
    ['postgres://h/db?sslnegotiation=direct', /sslmode=require/],
    ['postgres://h/db?target_session_attrs=standby', /target_session_attrs=standby.*read-write/],
    ['postgres://h/db?connect_timeout=soon', /connect_timeout=soon/],
    ['postgres://h/db?client_encoding=latin1', /client_encoding=latin1/],
    ['postgres://h/db?pgbouncer=maybe', /pgbouncer=maybe.*prepared/],
    ['postgres://h/db?require_auth=none', /"require_auth"/],
    ['postgres://h/db?service=a', /"service"/],
    ['postgres://h/db?servicefile=a', /"servicefile"/],
    ['postgres://h/db?passfile=a', /"passfile"/],
    ['postgres://h/db?requirepeer=a', /"requirepeer"/],
    ['postgres://h/db?krbsrvname=a', /"krbsrvname"/],
    ['postgres://h/db?gsslib=a', /"gsslib"/],
    ['postgres://h/db?tcp_user_timeout=a', /"tcp_user_timeout"/],
    ['postgres://h/db?keepalives_interval=a', /"keepalives_interval"/],
    ['postgres://h/db?keepalives_count=a', /"keepalives_count"/],
    ['postgres://h/db?replication=a', /"replication"/],
    ['postgres://h/db?SSLMODE=require', /"SSLMODE"/],
    ['postgres://h/db?gssencmode=require', /gssencmode=require.*disable/],
    ['postgres://h/db?sslsni=0', /sslsni=0/],
    ['postgres://h/db?keepalives=2', /keepalives=2/],
    ['postgres://h/db?keepalives_idle=x', /keepalives_idle=x/],
    ['postgres://h/db?connect_timeout=0', /connect_timeout=0/],
    ['postgres://h/db?connect_timeout=-1', /connect_timeout=-1/],
    ['postgres://h/db?channel_binding=maybe', /channel_binding=maybe.*require/],
    [
      'postgres://h/db?target_session_attrs=read-only',
      /target_session_attrs=read-only.*read-write/,
    ],
    [
      'postgres://h/db?target_session_attrs=prefer-standby',
      /target_session_attrs=prefer-standby.*read-write/,
    ],
    ['postgres://h/db?pgbouncer=statement', /pgbouncer=statement.*transaction/],
    ['postgres://u%00@h/db', /%00/],
    ['postgres://h/d\nb', /line break/],
    ['postgresql:///db?host=a,b&hostaddr=10.0.0.1,10.0.0.2,10.0.0.3', /2 host names for 3 hosts/],
    ['host=h dbname=db', /postgres:\/\//],
    ['jdbc:postgresql://h/db', /postgres:\/\//],
  ])('%s', (DATABASE_URL, words) => {
    expect(() => readConfig({ DATABASE_URL })).toThrow(words);
    expect(() => readConfig({ DATABASE_URL })).toThrow(/^DATABASE_URL: /);
  });

  test('without the password in those words', () => {
    for (const text of ['postgres://u:hun/ter2@h/db', 'postgres://u:%zz-hunter2@h:x/db']) {
      expect(() => readConfig({ DATABASE_URL: text })).toThrow(/^(?!.*(hun|ter2)).*$/);
    }
  });

  test('DATABASE_LISTEN_URL alone', () => {
    expect(() => readConfig({ DATABASE_LISTEN_URL: 'postgres://h/db' })).toThrow(/^DATABASE_URL: /);
  });
});

describe('several hosts', () => {
  test('are tried in their order: those that are dead or take no writes are passed over', async () => {
    const primary = new URL(await createDatabase());
    const standby = new URL(await createDatabase());
    await asAdministrator(
      standby.href,
      `alter database ${nameOf(standby.href)} set default_transaction_read_only = on`,
    );
    // Two servers for one name: what listens here leads to the other's database.
    const front = await forwardTo(standby, nameOf(primary.href), nameOf(standby.href));
    const dead = `127.0.0.1:${await freePort()}`;
    const database = await openDatabase({
      url: `postgres://postgres:postgres@${dead},127.0.0.1:${front},${primary.host}${primary.pathname}`,
      dataDirectory: '/nowhere',
    });
    onTestFinished(() => database.close());
    expect(
      await database.query(`select current_setting('transaction_read_only') as read_only`, []),
    ).toEqual([{ read_only: 'off' }]);
    expect(await database.query('select current_database() as name', [])).toEqual([
      { name: nameOf(primary.href) },
    ]);
  });

  test('none of which can be used are told one by one', async () => {
    const [one, other] = [await freePort(), await freePort()];
    const database = await openDatabase({
      url: `postgres://u:p@127.0.0.1:${one},127.0.0.1:${other}/db`,
      dataDirectory: '/nowhere',
    });
    onTestFinished(() => database.close());
    await expect(database.query('select 1', [])).rejects.toThrow(
      new RegExp(`127.0.0.1:${one}: .*; 127.0.0.1:${other}: `),
    );
  });

  test('are not all told a password that one of them calls wrong', async () => {
    const { host } = new URL(inject('postgres'));
    let asked = 0;
    const second = await listening(createServer(() => (asked += 1)));
    const database = await openDatabase({
      url: `postgres://postgres:wrong@${host},127.0.0.1:${second}/postgres`,
      dataDirectory: '/nowhere',
    });
    onTestFinished(() => database.close());
    await expect(database.query('select 1', [])).rejects.toMatchObject({ code: '28P01' });
    expect(asked).toBe(0);
  });
});

/** Forwards connections, and names another database of equal length in their first packet. */
async function forwardTo(server: URL, from: string, to: string): Promise<number> {
  const front = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    client.once('data', (packet) => {
      upstream.write(Buffer.from(packet.toString('latin1').replace(from, to), 'latin1'));
      client.pipe(upstream);
    });
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  });
  return listening(front);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('pg itself takes what is left of an address', async () => {
  const { candidates } = parseAddress(await createDatabase(), {});
  const client = new pg.Client(candidates[0].client);
  await client.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await client.end();
});
