/** What answers at the address is not what was expected: each is told in one line, at once, and by an exit code. */
import { connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { refusedMigration, refusedStart, run, temporaryDirectory } from '../process/run.ts';
import { asAdministrator, nameOf } from '../support/administrator.ts';
import { createDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';

/** The port of a server that treats each connection so. */
async function serverThat(treats: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    treats(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const answering = (bytes: string | Uint8Array) => (socket: Socket) => {
  socket.once('data', () => socket.write(bytes));
};

describe('is no PostgreSQL', () => {
  test.each([
    ['a web server', answering('HTTP/1.1 400 Bad Request\r\n\r\n'), ''],
    [
      'one that hangs up',
      (socket: Socket) => {
        socket.destroy();
      },
      '',
    ],
    ['an unknown way to authenticate', answering(Buffer.from('520000000800000063', 'hex')), ''],
    ['no TLS after it was promised', answering('S'), '?sslmode=require&connect_timeout=1'],
    ['neither yes nor no to TLS', answering('X'), '?sslmode=require'],
  ] as const)('%s', async (_what, treats, parameters) => {
    const port = await serverThat(treats);
    const DATABASE_URL = `postgres://u:sekret@127.0.0.1:${port}/db${parameters}`;
    const ended = await refusedMigration({ DATABASE_URL });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^DATABASE_URL: the database cannot be used \(.+\).*\n$/m);
    expect(ended.stderr).not.toContain('sekret');
  });
});

describe('does not let us in', () => {
  const server = () => new URL(inject('postgres'));
  const cases: Record<string, (url: string) => Promise<string> | string> = {
    'takes no connections': async (url) => {
      await asAdministrator(
        `${inject('postgres')}/postgres`,
        `alter database ${nameOf(url)} allow_connections false`,
      );
      return url;
    },
    'a role that may not log in': async (url) => {
      const name = `idle_${nameOf(url).slice(-12)}`;
      await asAdministrator(url, `create role ${name} password 'sekret'`);
      onTestFinished(() => asAdministrator(url, `drop role ${name}`));
      return `postgres://${name}:sekret@${server().host}/${nameOf(url)}`;
    },
    'an option that it does not know': (url) => `${url}?options=-cno_such%3D1`,
    'a socket that is not there': (url) => `postgres://u:sekret@/${nameOf(url)}?host=/nowhere`,
    'no TLS': (url) => `${url}?sslmode=require`,
    'no channel binding': (url) => `${url}?channel_binding=require`,
    'a standby, where a primary is asked for': (url) =>
      `${url}?target_session_attrs=read-write&options=-cdefault_transaction_read_only%3Don`,
  };
  test.each(Object.keys(cases))('%s', async (name) => {
    const DATABASE_URL = (await cases[name]?.(await createDatabase())) ?? '';
    const ended = await refusedMigration({ DATABASE_URL });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^DATABASE_URL: the database cannot be used \(.+\).*\n$/m);
    expect(ended.stderr).not.toContain('sekret');
  });
});

test('tables of something else are left alone, and the way out is told', async () => {
  const DATABASE_URL = await createDatabase('template0');
  await asAdministrator(DATABASE_URL, 'create table packs (theirs int)');
  const ended = await run('src/migrate.ts', { DATABASE_URL });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^DATABASE_URL: .*"packs" already exists.*search_path.*\n$/);
  await asAdministrator(DATABASE_URL, 'select theirs from packs');
});

test('a start that a timeout ends says which setting to raise', async () => {
  const url = await createDatabase();
  // What the start asks first of the tables waits for this lock.
  const other = new pg.Client(`${inject('postgres')}/${nameOf(url)}`);
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('begin');
  await other.query('lock table packs in access exclusive mode');
  const ended = await refusedStart({
    DATABASE_URL: `${url}?options=-cstatement_timeout%3D50`,
    DATA_DIR: temporaryDirectory(),
  });
  expect(ended.stderr).toMatch(/^DATABASE_URL: the database cannot be used .*raise .*timeout.*\n$/);
});

test('a server that turns into something else ends one request, not the process', async () => {
  const url = new URL(await createDatabase());
  let garbles = false;
  const [upstream, host] = [Number(url.port), url.hostname];
  const port = await serverThat((client) => {
    const onward = connect(upstream, host);
    onward.on('error', () => undefined);
    client.pipe(onward);
    onward.on('data', (piece) =>
      client.write(garbles ? Buffer.from('520000000800000063', 'hex') : piece),
    );
    client.on('close', () => onward.destroy());
  });
  url.port = `${port}`;
  const gateway = await startGateway({ environment: { DATABASE_URL: url.href } });
  garbles = true;
  const { errors } = await gateway.graphql('{ packs { totalCount } }');
  expect(errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
  garbles = false;
  const { data } = await gateway.graphql('{ packs { totalCount } }');
  expect(data).toEqual({ packs: { totalCount: 0 } });
});
