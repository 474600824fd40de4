/** TLS to a real PostgreSQL: who is believed, and whom it believes. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { parseAddress } from '../../src/database-address/address.ts';
import { startTlsPostgres, type TlsPostgres } from '../support/tls-postgres.ts';

const ENCRYPTED = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

/** Whether a statement went over TLS. */
async function ask(
  { port }: TlsPostgres,
  host: string,
  parameters: string,
  user = 'postgres:postgres',
): Promise<unknown> {
  const url = `postgres://${user}@${host}:${port}/postgres?${parameters}`;
  const database = await openDatabase({ url, dataDirectory: '/nowhere' });
  onTestFinished(() => database.close());
  const [row] = await database.query<{ ssl: boolean }>(ENCRYPTED, []);
  return row?.ssl;
}

describe('a server whose certificate is for its address', () => {
  let server: TlsPostgres;
  beforeAll(async () => {
    server = await startTlsPostgres('IP:127.0.0.1');
  });
  afterAll(() => server.close());

  test('is believed by that address, and not by a name', async () => {
    const full = `sslmode=verify-full&sslrootcert=${server.ca}`;
    expect(await ask(server, '127.0.0.1', full)).toBe(true);
    await expect(ask(server, 'localhost', full)).rejects.toThrow(/altnames/);
  });

  test('is not believed when another authority vouches for it', async () => {
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      const parameters = `sslmode=${mode}&sslrootcert=${server.otherCa}`;
      await expect(ask(server, '127.0.0.1', parameters)).rejects.toThrow(/certificate/);
    }
    await expect(ask(server, '127.0.0.1', 'sslmode=verify-full')).rejects.toThrow(/certificate/);
  });

  test('is believed as libpq believes it: by its authority alone, or whatever it shows', async () => {
    expect(await ask(server, 'localhost', `sslmode=verify-ca&sslrootcert=${server.ca}`)).toBe(true);
    expect(await ask(server, 'localhost', `sslmode=require&sslrootcert=${server.ca}`)).toBe(true);
    for (const mode of ['require', 'prefer', 'allow', 'no-verify']) {
      expect(await ask(server, '127.0.0.1', `sslmode=${mode}`)).toBe(true);
    }
    expect(await ask(server, '127.0.0.1', 'sslmode=require&sslnegotiation=direct')).toBe(true);
    expect(await ask(server, '127.0.0.1', 'sslmode=require&channel_binding=require')).toBe(true);
  });

  test('refuses who speaks without TLS, and that is told', async () => {
    await expect(ask(server, '127.0.0.1', 'sslmode=disable')).rejects.toThrow(/no encryption/);
  });

  test('lets a role in by its certificate', async () => {
    const admin = await openDatabase({
      url: `postgres://postgres:postgres@127.0.0.1:${server.port}/postgres?sslmode=require`,
      dataDirectory: '/nowhere',
    });
    onTestFinished(() => admin.close());
    await admin.query('create role clerk login', []);
    const { ca, clientCertificate, clientKey } = server;
    const own = `sslcert=${clientCertificate}&sslkey=${clientKey}`;
    const parameters = `sslmode=verify-full&sslrootcert=${ca}&${own}`;
    expect(await ask(server, '127.0.0.1', parameters, 'clerk')).toBe(true);
    const without = `sslmode=verify-full&sslrootcert=${ca}`;
    await expect(ask(server, '127.0.0.1', without, 'clerk')).rejects.toThrow(/certificate/);
  });
});

test('files that hold no certificate or no key are refused by name before anybody is asked', async () => {
  const server = await startTlsPostgres('DNS:localhost');
  onTestFinished(() => server.close());
  const { ca, otherCa, clientCertificate, clientKey } = server;
  const refused = (parameters: string, words: RegExp) =>
    expect(() => parseAddress(`postgres://h/db?sslmode=verify-full&${parameters}`, {})).toThrow(
      words,
    );
  refused(`sslrootcert=${clientKey}`, /sslrootcert=.*holds no PEM certificate/);
  refused(`sslrootcert=${ca}&sslcert=${otherCa}&sslkey=${clientKey}`, /sslkey.*mismatch/);
  refused(`sslrootcert=${ca}&sslcert=${clientCertificate}&sslkey=${ca}`, /sslkey/);
});

test('a certificate for localhost is not believed of an address', async () => {
  const server = await startTlsPostgres('DNS:localhost');
  onTestFinished(() => server.close());
  const full = `sslmode=verify-full&sslrootcert=${server.ca}`;
  await expect(ask(server, '127.0.0.1', full)).rejects.toThrow(/altnames|IP/);
  expect(await ask(server, 'localhost', full)).toBe(true);
});
