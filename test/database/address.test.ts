/** DATABASE_URL in the forms that other tools write. */
import { connect, createServer, type Server } from 'node:net';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/database/database.ts';
import { parseAddress } from '../../src/database-address/address.ts';
import { asAdministrator, nameOf } from '../support/administrator.ts';
import { freePort } from '../support/free-port.ts';
import { createDatabase } from '../support/gateway.ts';

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
  ])('?pgbouncer=%s', (value, pooler) => {
    expect(parseAddress(`postgres://h/db?pgbouncer=${value}`, {}).pooler).toBe(pooler);
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
