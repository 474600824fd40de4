/** Stdout cannot be written: its disk is full, or its terminal is gone. The service goes on, and says what was lost. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { joined } from '../support/joined.ts';
import { nodeEnvironment } from '../support/node-environment.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';
import { MOUNTING, tinyDisk } from '../support/tiny-disk.ts';
import { temporaryDirectory } from './run.ts';

/** Every write to it finds the disk full. */
const FULL = '/dev/full';

/** The service with its stdout in a file; it does not outlive the test. */
async function start(stdout: string, environment: Readonly<Record<string, string>>) {
  const port = await freePort();
  const program = await joined('src/main.ts');
  const file = openSync(stdout, 'a');
  const child = spawn(process.execPath, [program], {
    env: { ...nodeEnvironment(), ...environment, PORT: String(port) },
    stdio: ['ignore', file, 'pipe'],
  });
  closeSync(file);
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    url: `http://127.0.0.1:${port}`,
    stderr: child.stderr === null ? '' : text(child.stderr),
    exited: new Promise<number | null>((resolve) => child.once('exit', resolve)),
    interrupt: () => child.kill('SIGINT'),
  };
}

async function environmentOf(key: string): Promise<Record<string, string>> {
  const DATABASE_URL = await createDatabase('template1');
  return { DATABASE_URL, DATA_DIR: temporaryDirectory(), BOOTSTRAP_API_KEY: key };
}

/** The status, once somebody listens. */
const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    ({ status }) => status,
    () => 0,
  );

async function created(url: string, name: string): Promise<string> {
  const query = `mutation { createAgentRole(input: { name: "${name}" }) { __typename } }`;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER_KEY}` },
    body: JSON.stringify({ query }),
  });
  return (await response.json()).data.createAgentRole.__typename;
}

test('a service whose log cannot be written answers as ever, and says so once on stderr', {
  timeout: 180_000,
}, async () => {
  const server = await start(FULL, await environmentOf(OWNER_KEY));
  await expect.poll(() => statusOf(`${server.url}/healthz`), { timeout: 120_000 }).toBe(200);
  expect(await created(server.url, 'one')).toBe('CreatedAgentRole');
  expect(await created(server.url, 'two')).toBe('CreatedAgentRole');
  server.interrupt();
  expect(await server.exited).toBe(0);
  expect(await server.stderr).toMatch(/^the log cannot be written to stdout, .+ENOSPC.+\n$/);
});

test('once its disk has room again the log goes on with whole lines, and says how many were lost', {
  timeout: 180_000,
}, async (context) => {
  const disk = await tinyDisk();
  if (disk === undefined) return context.skip(MOUNTING);
  const log = join(disk, 'log');
  const filler = join(disk, 'filler');
  const server = await start(log, await environmentOf(OWNER_KEY));
  await expect.poll(() => statusOf(`${server.url}/healthz`), { timeout: 120_000 }).toBe(200);
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  // The last page of the log has room for some of them, and for a part of the next.
  for (let number = 1; number <= 40; number++) await created(server.url, `role-${number}`);
  rmSync(filler);
  await created(server.url, 'last');
  const lines = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const requests = lines.filter(({ route }) => route === 'graphql').length;
  const lost = lines.filter((line) => 'lost' in line);
  expect(lost).toEqual([expect.objectContaining({ level: 'warn', lost: 41 - requests })]);
  expect(lost[0].lost).toBeGreaterThan(0);
});

test('an owner key that cannot be shown is not made: the start fails, and the next one shows its own', {
  timeout: 180_000,
}, async () => {
  const environment = await environmentOf('');
  const first = await start(FULL, environment);
  expect(await first.exited).toBe(1);
  expect(await first.stderr).toMatch(/\nBOOTSTRAP_API_KEY: .+ENOSPC.+; .+\n$/);
  const second = await startServer({ ...environment, BOOTSTRAP_API_KEY: '' });
  await expect.poll(() => second.logs.find(({ key }) => key !== undefined)?.org).toBe('default');
});
