/** The process dies in the middle of a deletion: one more call, on a new process, always finishes it. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { DELETE, deletePack, eventsOf, isPullable, rowOf } from '../support/deletion.ts';
import type { DockerRegistry } from '../support/docker-registry.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { isSweep, longDatabaseKinds } from '../support/extent.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { blobChanged, indexWritten, startMortalServer } from '../support/mortal-server.ts';
import { startServer } from '../support/server-process.ts';

/** A purge reads before it deletes, whatever it reads first. */
const FIRST_READ = 'GET /v2/packs/default/[^/]+/';
const MANIFEST_BY_DIGEST = '/v2/packs/default/[^/]+/manifests/sha256:[0-9a-f]{64}$';

async function startGatedRegistry(): Promise<{ docker: DockerRegistry; gate: Gate }> {
  const docker = await emptyDockerRegistry();
  return { docker, gate: await startGate(docker.url) };
}

/** What was killed can be finished by whoever starts next on the same data. */
async function expectToConverge(next: Gateway, id: string): Promise<void> {
  const row = await rowOf(next, id);
  const answer = await deletePack(next, id);
  expect(answer.__typename).toBe('DeletedPack');
  expect(['PURGED', 'ALREADY_GONE']).toContain(answer.image);
  const deleted = (await eventsOf(next, id)).filter((type) => type === 'PACK_DELETED');
  expect(deleted).toHaveLength(1);
  if (row === undefined) throw new Error('the pack was gone before its deletion was finished');
  expect(await isPullable(next, row)).toBe(false);
}

/** Uploads a pack with a bystander beside it; answers its id. */
async function packBesideBystander(gateway: Gateway, name: string): Promise<string> {
  const { id } = await gateway.pack(name);
  await putBystander(gateway, name);
  return id;
}

const lost = (answer: Promise<unknown>) => answer.catch(() => 'connection lost');

describe.skipIf(!installed('docker-registry')).each(longDatabaseKinds)(
  'kill -9, database %s with docker-registry',
  (database) => {
    test('during deletions, each at another step, and an upload, which can be repeated', async () => {
      const { gate } = await startGatedRegistry();
      const setup = await startGateway({ database, environment: { REGISTRY_URL: gate.url } });
      const moments = [
        ['marked', 'before', FIRST_READ],
        ['purging', 'before', `^DELETE ${MANIFEST_BY_DIGEST}`],
        ['purged', 'after', `^DELETE ${MANIFEST_BY_DIGEST}`],
      ] as const;
      const ids = new Map<string, string>();
      for (const [name] of moments) ids.set(name, await packBesideBystander(setup, name));
      await setup.close();

      const server = await startServer(setup.environment);
      const held = moments.map(([name, side, request]) =>
        gate.hold(side, new RegExp(request.replace('[^/]+', name))),
      );
      held.push(gate.hold('before', /^PUT .*\/manifests\//));
      const answers = [...ids.values()].map((id) => lost(server.graphql(DELETE, { id })));
      answers.push(lost(server.upload('uploading')));
      await Promise.all(held.map(({ reached }) => reached));
      // What is read first may be read beside the mark.
      const query = 'query ($id: ID!) { pack(id: $id) { status } }';
      for (const id of ids.values()) {
        const marked = { data: { pack: { status: 'DELETING' } } };
        await expect.poll(() => server.graphql(query, { id })).toEqual(marked);
      }
      await server.kill();
      expect(await Promise.all(answers)).toEqual(answers.map(() => 'connection lost'));
      for (const { release } of held) release();

      const next = await startGateway({ environment: setup.environment });
      for (const [name, id] of ids) {
        await expectToConverge(next, id);
        expect(await stateOfBystander(next, name)).toBe('whole');
      }
      const { id } = await next.pack('uploading');
      const row = await rowOf(next, id);
      expect(row && (await isPullable(next, row))).toBe(true);
      expect(await deletePack(next, id)).toMatchObject({ image: 'PURGED' });
    });
  },
);

describe.skipIf(!installed('docker-registry'))('kill -9 on PostgreSQL', () => {
  test('while a failure is being recorded', async () => {
    const { gate } = await startGatedRegistry();
    const environment = { REGISTRY_URL: gate.url };
    const setup = await startGateway({ database: 'postgres', environment });
    const id = await packBesideBystander(setup, 'triage');
    await setup.close();
    const server = await startServer(setup.environment);
    const held = gate.hold('before', new RegExp(FIRST_READ));
    const answer = lost(server.graphql(DELETE, { id }));
    await held.reached;
    const body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED' }] });
    const headers = { 'content-type': 'application/json' };
    gate.refuse({ request: /^DELETE /, status: 405, headers, body });

    // Whoever records the failure gives the lease back at the end, and has to wait for this lock.
    const blocker = new pg.Client(setup.environment.DATABASE_URL);
    await blocker.connect();
    onTestFinished(() => blocker.end());
    await blocker.query('begin');
    // The image is read beside the mark, so the first read may come before the lease is there.
    while (!(await blocker.query('select 1 from repository_leases for update')).rowCount) {
      await pause(10);
    }
    held.release();
    // A connection of its own: within a transaction the list of activities never changes.
    const watcher = new pg.Client(setup.environment.DATABASE_URL);
    await watcher.connect();
    onTestFinished(() => watcher.end());
    await waiting(watcher, 'delete from repository_leases%');
    await server.kill();
    expect(await answer).toBe('connection lost');
    await blocker.query('rollback');
    gate.refuse(undefined);

    const next = await startGateway({ environment: setup.environment });
    await expectToConverge(next, id);
    expect(await stateOfBystander(next, 'triage')).toBe('whole');
  });
});

const tried = [['after the image is no longer named', indexWritten('after', 1)]] as const;
const swept = [
  ['after the mark', indexWritten('before', 1)],
  ...tried,
  ['before its content goes', blobChanged('before', 'rm')],
  ['while its content goes', blobChanged('after', 'rm')],
] as const;

describe('kill -9 with the embedded database and registry', () => {
  test.each(isSweep ? swept : tried)('%s', async (_moment, death) => {
    const setup = await startGateway({ database: 'embedded' });
    const id = await packBesideBystander(setup, 'triage');
    await setup.close();
    const server = await startMortalServer(setup);
    server.dieAt(death);
    expect(await lost(server.graphql(DELETE, { id }))).toBe('connection lost');
    await server.died();

    const next = await startGateway({ environment: setup.environment });
    expect((await rowOf(next, id))?.status).toBe('DELETING');
    await expectToConverge(next, id);
    expect(await stateOfBystander(next, 'triage')).toBe('whole');
    expect((await next.pack('triage')).status).toBe('ACTIVE');
  });
});

/** Until a statement like this waits for a lock. */
async function waiting(client: pg.Client, statement: string): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(
      `select 1 from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
      [statement],
    );
    if (rowCount) return;
    await pause(10);
  }
}
