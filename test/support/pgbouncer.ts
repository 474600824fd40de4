/** Runs Debian's `pgbouncer` in front of a PostgreSQL server. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';

/**
 * Starts one that ends with the test; answers its address without a database.
 * @param server address of the server behind it, with user and password
 * @param poolSize connections to the server that all clients share
 */
export async function startPgBouncer(
  server: string,
  poolSize: number,
  mode: 'transaction' | 'session' | 'statement' = 'transaction',
): Promise<string> {
  const { hostname, port: serverPort, username, password } = new URL(server);
  const directory = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
  chmodSync(directory, 0o755);
  const port = await freePort();
  const file = join(directory, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${serverPort} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${poolSize}
max_client_conn = 200
`,
  );
  // It refuses to run as root.
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody']).toString());
  const user = process.getuid?.() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
  const child = spawn('pgbouncer', [file], { ...user, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`pgbouncer did not start:\n${log}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      // Keeps draining after the start, or it would block on a full pipe.
      if (log.length < 10_000) log += chunk.toString();
      if (log.includes('process up')) resolve();
    });
  });
  return `postgres://anybody@127.0.0.1:${port}`;
}
