/**
 * Replicas whose wall clocks are hours apart, shifted in the process itself (shifted-clock.ts). The database's clock and
 * monotonic ones decide about leases and deletions; what a replica dates itself (`createdAt`, the order of lists) is
 * off by as much as its clock.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { LEASE_TTL_MS } from '../../src/database/repository-lease.ts';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { createDatabase } from '../support/databases.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { installed } from '../support/installed.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';

const HOURS = 3_600_000;
const DELETE = deletePackDocument(`... on DeletedPack { deletedAt }`);
const PACKS = `query ($after: String) { packs(first: 1, after: $after) {
  nodes { id name } pageInfo { hasNextPage endCursor } } }`;
const DELETIONS = `query ($since: DateTime!, $until: DateTime!) {
  auditEvents(filter: { type: PACK_DELETED, since: $since, until: $until }) { nodes { subjectId } } }`;

test.skipIf(!installed('docker-registry'))(
  'replicas with clocks hours apart delete once, respect each other’s leases and page through everything',
  { timeout: 180_000 },
  async () => {
    const docker = await emptyDockerRegistry();
    const store = createDistributionRegistry({ url: docker.url, deadlineMs: 10_000 });
    onTestFinished(() => store.close());
    const gate = await startGate(docker.url);
    const environment = {
      DATABASE_URL: await createDatabase(),
      REGISTRY_URL: gate.url,
      NODE_OPTIONS: `--import=${new URL('shifted-clock.ts', import.meta.url).href}`,
    };
    const [ahead, behind] = await Promise.all(
      [5 * HOURS, -5 * HOURS].map((shift) =>
        startServer({ ...environment, CLOCK_SHIFT_MS: String(shift) }),
      ),
    );
    if (ahead === undefined || behind === undefined) throw new Error('two were started');

    for (const [server, name] of [
      [ahead, 'one'],
      [behind, 'two'],
      [ahead, 'three'],
    ] as const) {
      await server.upload(name);
      await putBystander(store, name);
    }
    const packs = await allPacks(ahead);
    expect(packs.map(({ name }) => name).toSorted()).toEqual(['one', 'three', 'two']);
    expect(await allPacks(behind)).toEqual(packs);

    // The lease that one replica took has run out long ago by the other's clock.
    const held = gate.hold('before', /^DELETE .*\/manifests\//);
    const [first, second, third] = packs.map(({ id }) => id);
    const deletions = [behind.graphql(DELETE, { id: first })];
    await held.reached;
    deletions.push(ahead.graphql(DELETE, { id: first }));
    const early = await Promise.race([deletions[1], pause(LEASE_TTL_MS + 500, 'still waiting')]);
    expect(early).toBe('still waiting');
    held.release();
    const answers = (await Promise.all(deletions)).map(({ data }) => data.deletePack);
    expect(answers.map(({ __typename }) => __typename).toSorted()).toEqual([
      'DeletedPack',
      'NotFound',
    ]);

    // An event is found at the moment that its deletion was answered with, whichever replica wrote it or reads.
    const others = [
      (await ahead.graphql(DELETE, { id: second })).data.deletePack,
      (await behind.graphql(DELETE, { id: third })).data.deletePack,
    ];
    const deleted = [...answers.filter(({ deletedAt }) => deletedAt !== undefined), ...others];
    for (const [index, { deletedAt: since }] of deleted.entries()) {
      const until = new Date(Date.parse(since) + 1).toISOString();
      for (const server of [ahead, behind]) {
        const { data } = await server.graphql(DELETIONS, { since, until });
        expect(data.auditEvents.nodes).toEqual([{ subjectId: packs[index]?.id }]);
      }
    }
    for (const { name } of packs) expect(await stateOfBystander(store, name), name).toBe('whole');
  },
);

async function allPacks(server: ServerProcess): Promise<{ id: string; name: string }[]> {
  const found: { id: string; name: string }[] = [];
  for (let after: string | null = null; ; ) {
    const { data } = await server.graphql(PACKS, { after });
    found.push(...data.packs.nodes);
    if (!data.packs.pageInfo.hasNextPage) return found;
    after = data.packs.pageInfo.endCursor;
  }
}
