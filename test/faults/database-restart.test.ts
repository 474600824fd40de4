/** PostgreSQL dies and comes back under a process that goes on: coded refusals meanwhile, and nothing lost. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Postgres, postgresDirectory } from '../chaos/world.ts';
import { temporaryDirectory } from '../process/run.ts';
import { freePort } from '../support/free-port.ts';
import { startServer } from '../support/server-process.ts';

const CREATE = `mutation ($name: String!) {
  createAgentRole(input: { name: $name, displayName: $name, environment: STAGING }) { __typename } }`;

test('while the database is dead callers hear that they may try again; afterwards the same process serves them', {
  timeout: 180_000,
}, async () => {
  const directory = postgresDirectory();
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const postgres = await Postgres.start(join(directory, 'postgres'), await freePort());
  onTestFinished(() => postgres.close());
  const server = await startServer({ DATABASE_URL: postgres.url, DATA_DIR: temporaryDirectory() });
  const acknowledged: string[] = [];
  const refusals = new Set<string>();
  let over = false;
  const client = async (number: number) => {
    for (let turn = 0; !over; turn++) {
      const name = `role-${number}-${turn}`;
      const answer = await server.graphql(CREATE, { name });
      if (answer.data?.createAgentRole?.__typename === 'CreatedAgentRole') acknowledged.push(name);
      else refusals.add(answer.errors?.[0]?.extensions?.code ?? JSON.stringify(answer));
      await pause(20);
    }
  };
  const clients = Promise.all(Array.from({ length: 12 }, (_, index) => client(index)));
  await expect.poll(() => acknowledged.length).toBeGreaterThan(20);
  await postgres.crash(1_000);
  const atRestart = acknowledged.length;
  await expect.poll(() => acknowledged.length).toBeGreaterThan(atRestart + 20);
  over = true;
  await clients;

  expect([...refusals]).toEqual(['SERVICE_UNAVAILABLE']);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  const found = await Promise.all(
    acknowledged.map((name) => server.graphql(CREATE, { name }).then(({ data }) => data)),
  );
  for (const data of found) expect(data).toEqual({ createAgentRole: { __typename: 'NameTaken' } });
});
