import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { temporaryDirectory } from './run.ts';

const OWN_KEY = { BOOTSTRAP_API_KEY: '' };

test('the first line names the address, the first start tells the owner key once, SIGTERM and SIGINT exit 0', {
  timeout: 180_000,
}, async () => {
  const environment = { ...OWN_KEY, DATA_DIR: join(temporaryDirectory(), 'made', 'here') };
  const first = await startServer(environment, 'sources');
  expect(first.logs[0]).toMatchObject({ level: 'info', msg: 'listening', host: '127.0.0.1' });
  expect(first.url).toBe(`http://127.0.0.1:${first.logs[0]?.port}`);
  await expect.poll(() => first.logs[1]).toMatchObject({ org: 'default' });
  const key = first.logs[1]?.key;
  expect(key).toMatch(/^sk_[A-Za-z0-9_-]{32,}$/);
  expect(await status(first.url, key)).toBe(200);
  first.terminate();
  expect(await first.exited).toBe(0);

  const second = await startServer(environment);
  expect(await status(second.url, key)).toBe(200);
  second.interrupt();
  expect(await second.exited).toBe(0);
  expect(JSON.stringify(second.logs)).not.toContain('sk_');
});

test('a given owner key works and is never printed', { timeout: 180_000 }, async () => {
  const server = await startServer({
    DATABASE_URL: await createDatabase('template1'),
    DATA_DIR: temporaryDirectory(),
    LOG_LEVEL: 'trace',
  });
  expect(await status(server.url, OWNER_KEY)).toBe(200);
  expect(await status(server.url, `${OWNER_KEY}x`)).toBe(401);
  server.interrupt();
  expect(await server.exited).toBe(0);
  expect(JSON.stringify(server.logs)).not.toContain(OWNER_KEY);
});

test('without its registry the server starts all the same, and says so', {
  timeout: 180_000,
}, async () => {
  const dataDirectory = temporaryDirectory();
  mkdirSync(join(dataDirectory, 'registry'));
  writeFileSync(join(dataDirectory, 'registry', 'index.json'), 'garbage');
  const server = await startServer({
    DATABASE_URL: await createDatabase(),
    DATA_DIR: dataDirectory,
  });
  const ready = await fetch(`${server.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({ status: 'ready', registry: 'registry_error' });
  expect(await status(server.url, OWNER_KEY)).toBe(200);
});

test('three processes that start at once on an empty database share one org, and serve it', {
  timeout: 180_000,
}, async () => {
  const DATABASE_URL = await createDatabase('template1');
  const environment = { ...OWN_KEY, DATABASE_URL, DATA_DIR: temporaryDirectory() };
  const servers = await Promise.all([1, 2, 3].map(() => startServer(environment)));
  await expect.poll(() => keysTold(servers)).toHaveLength(1);
  const [key = ''] = keysTold(servers);
  for (const { url } of servers) expect(await status(url, key)).toBe(200);
  for (const server of servers) server.interrupt();
  expect(await Promise.all(servers.map(({ exited }) => exited))).toEqual([0, 0, 0]);
  expect(keysTold(servers)).toHaveLength(1);
  const client = new pg.Client(DATABASE_URL);
  await client.connect();
  const { rows } = await client.query('select slug from orgs');
  await client.end();
  expect(rows).toEqual([{ slug: 'default' }]);
});

/** Every owner key in their logs; a request names only the id of its key. */
const keysTold = (servers: readonly ServerProcess[]): string[] =>
  servers.flatMap(({ logs }) => logs.map(({ key }) => String(key)).filter(isOwnerKey));

const isOwnerKey = (key: string): boolean => key.startsWith('sk_');

async function status(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: '{"query":"{ viewer { org { slug } } }"}',
  });
  return response.status;
}
