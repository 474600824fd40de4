/** Clients that hang up, servers that are told to stop, and a registry that does not answer. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { DELETE, deletePack, eventsOf, isPullable, rowOf } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { startServer } from '../support/server-process.ts';

const PURGE = /^DELETE .*\/manifests\//;

async function startGated(database: 'postgres' | 'embedded') {
  const docker = await emptyDockerRegistry();
  const gate = await startGate(docker.url);
  const gateway = await startGateway({
    database,
    environment: { REGISTRY_URL: gate.url, REGISTRY_DEADLINE_MS: '50000' },
  });
  return { gate, gateway };
}

describe.skipIf(!installed('docker-registry'))('a deletion in flight', () => {
  test('is finished although the client hangs up', async () => {
    const { gate, gateway } = await startGated('postgres');
    const server = await startServer(gateway.environment);
    const { id } = await gateway.pack('triage');
    await putBystander(gateway, 'triage');
    const row = await rowOf(gateway, id);
    const held = gate.hold('before', PURGE);
    const client = new AbortController();
    const answer = server.graphql(DELETE, { id }, client.signal).catch(() => 'hung up');
    await held.reached;
    client.abort();
    expect(await answer).toBe('hung up');
    expect((await rowOf(gateway, id))?.status).toBe('DELETING');
    held.release();
    while ((await rowOf(gateway, id)) !== undefined) await pause(10);
    expect(await eventsOf(gateway, id)).toContain('PACK_DELETED');
    expect(row && (await isPullable(gateway, row))).toBe(false);
    expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  });

  test('is finished and answered after SIGTERM, which lets nobody else in', async () => {
    const { gate, gateway } = await startGated('postgres');
    const server = await startServer(gateway.environment);
    const { id } = await gateway.pack('triage');
    const held = gate.hold('before', PURGE);
    const answer = server.graphql(DELETE, { id });
    await held.reached;
    server.terminate();
    while (await accepts(server.url)) await pause(10);
    held.release();
    expect((await answer).data.deletePack).toMatchObject({ image: 'PURGED' });
    const late = pause(15_000, 'not within 15 s', { ref: false });
    expect(await Promise.race([server.exited, late])).toBe(0);
  });

  test('holds no connection and no transaction while the registry hangs', async () => {
    const { gate, gateway } = await startGated('postgres');
    const { id } = await gateway.pack('triage');
    const held = gate.hold('before', PURGE);
    const answer = deletePack(gateway, id);
    await held.reached;
    const client = new pg.Client(gateway.environment.DATABASE_URL);
    await client.connect();
    onTestFinished(() => client.end());
    const states = new Set<string>();
    for (let look = 0; look < 20; look++) {
      const { rows } = await client.query<{ state: string }>(
        `select state from pg_stat_activity where datname = current_database()
         and pid <> pg_backend_pid() and query not like 'update repository_leases%'`,
      );
      for (const { state } of rows) states.add(state);
      await pause(10);
    }
    expect([...states]).toEqual(['idle']);
    held.release();
    expect(await answer).toMatchObject({ image: 'PURGED' });
  });

  test.each(databaseKinds)(
    'lets everybody else work on %s while the registry hangs',
    async (database) => {
      const { gate, gateway } = await startGated(database);
      const { id } = await gateway.pack('triage');
      const held = gate.hold('before', PURGE);
      const answer = deletePack(gateway, id);
      await held.reached;
      const query = 'query ($id: ID!) { pack(id: $id) { status } packs { totalCount } }';
      expect((await gateway.graphql(query, { id })).data).toEqual({
        pack: { status: 'DELETING' },
        packs: { totalCount: 1 },
      });
      held.release();
      expect(await answer).toMatchObject({ image: 'PURGED' });
    },
  );
});

async function accepts(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`, { headers: { connection: 'close' } }).then(
    () => true,
    () => false,
  );
}
