/** One caller's requests wait for each other, and nobody else's for them. */
import { connect } from 'node:net';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Turn, Turns } from '../../src/http/turns.ts';
import type { Caller } from '../../src/identity/caller.ts';
import { keyIds, newUuid, orgIds } from '../../src/model/ids.ts';
import { fill } from '../abuse/fill.ts';
import { Target } from '../abuse/target.ts';
import { createDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';

const someCaller = (): Caller => ({
  orgId: orgIds.of(newUuid()),
  orgSlug: 'some',
  principal: { kind: 'api_key', keyId: keyIds.of(newUuid()) },
  scopes: new Set(),
  requestId: '1',
});

describe('turns', () => {
  test('are taken first come, first served, and by nobody else when they are waited for', async () => {
    const turns = new Turns(10);
    const [one, other] = [someCaller(), someCaller()];
    const begun: string[] = [];
    const first = await turns.begin(one, 6);
    const wait = async (name: string, weight: number): Promise<Turn> => {
      const turn = await turns.begin(one, weight);
      begun.push(name);
      return turn;
    };
    const second = wait('second', 5);
    const third = wait('third', 1);
    (await turns.begin(other, 10))[Symbol.dispose]();
    expect(begun).toEqual([]);
    first.lighten(5);
    expect(await Promise.all([second])).toHaveLength(1);
    expect(begun).toEqual(['second']);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await third;
    expect(begun).toEqual(['second', 'third']);
  });

  test('of light work are not kept waiting by heavy work', async () => {
    const turns = new Turns(100);
    const caller = someCaller();
    const heavy = await turns.begin(caller, 100);
    const heavier = turns.begin(caller, 50);
    (await turns.begin(caller, 3))[Symbol.dispose]();
    heavy[Symbol.dispose]();
    await heavier;
  });

  test('alone may be heavier than all together', async () => {
    const turns = new Turns(1);
    const caller = someCaller();
    const heavy = await turns.begin(caller, 0.1 + 0.2);
    const heavier = turns.begin(caller, 100);
    heavy[Symbol.dispose]();
    const light = turns.begin(caller, 0.1);
    (await heavier)[Symbol.dispose]();
    (await light)[Symbol.dispose]();
  });

  test('are refused where a thousand wait already', async () => {
    const turns = new Turns(1);
    const caller = someCaller();
    const running = await turns.begin(caller, 1);
    const waiting = Array.from({ length: 1_000 }, () => turns.begin(caller, 1));
    expect(() => turns.begin(caller, 1)).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 1 }),
    );
    await turns.begin(someCaller(), 1);
    running[Symbol.dispose]();
    for (const turn of waiting) (await turn)[Symbol.dispose]();
    await turns.begin(caller, 1);
  });
});

test('whoever never sends the rest of large bodies keeps himself waiting, and nobody else of his org', async () => {
  const gateway = await startGateway();
  const origin = await listening(gateway);
  const key = await gateway.key('READ_ONLY');
  const { hostname, port } = new URL(origin);
  const stalled = connect(Number(port), hostname);
  onTestFinished(() => void stalled.destroy());
  stalled.write(
    `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`,
  );
  const ask = (token: string, query: string) =>
    fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
  const large = '{ viewer { org { slug } } }'.padEnd(60_000);
  const mine = Array.from({ length: 40 }, async () => (await ask(key, large)).status);
  for (let time = 0; time < 5; time += 1) expect((await ask(OWNER_KEY, large)).status).toBe(200);
  stalled.destroy();
  expect(new Set(await Promise.all(mine))).toEqual(new Set([200]));
});

test('an answer that nobody reads keeps its caller’s turn, in the process as operators start it', async () => {
  const DATABASE_URL = await createDatabase();
  const server = await startServer({ DATABASE_URL });
  const database = new pg.Client(DATABASE_URL);
  await database.connect();
  await fill(database, 'default').finally(() => database.end());
  const target = new Target(server.url, OWNER_KEY);
  const answered = () => server.logs.filter(({ operationName }) => operationName === 'Long').length;

  // Each is longer than what the kernel takes of it for a client that does not read.
  const body = JSON.stringify({
    query: 'query Long { packs(first: 100) { nodes { capabilities } } }',
  });
  const sockets = await Promise.all(
    Array.from({ length: 6 }, () => target.stall('/graphql', body)),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await expect.poll(answered).toBe(1);
  // Time enough for all the others, were it theirs.
  for (let time = 0; time < 100; time += 1) await target.rest('/v1/agent-roles?limit=1');
  expect(answered()).toBe(1);
  for (const socket of sockets) socket.resume();
  await expect.poll(answered).toBe(6);
});

test('a caller who asks for more at once than one request may has all of it answered', async () => {
  const gateway = await startGateway();
  await gateway.pack('triage');
  const query = '{ packs(first: 200) { nodes { capabilities description } } }';
  const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.graphql(query)));
  expect(answers.filter(({ data }) => data.packs.nodes.length === 1)).toHaveLength(50);
  const pages = await Promise.all(
    Array.from({ length: 50 }, () => gateway.rest('GET', '/v1/packs?limit=200')),
  );
  expect(pages.filter(({ body }) => body.packs.length === 1)).toHaveLength(50);
});
