import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LEASE_TTL_MS } from '../../src/database/repository-lease.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { createDatabase } from '../support/databases.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';

/** What writes to the registry, and a request of it that is held back; another one comes after it. */
const operations = {
  upload: {
    held: /^PUT .*\/upload\/blobs/,
    run: (gateway: Gateway) => gateway.pack('upload'),
  },
  delete: {
    held: /^(GET|HEAD) .*\/delete\/manifests/,
    run: (gateway: Gateway, { id }: { id: string }) =>
      gateway.graphql(deletePackDocument(), { id }),
  },
  clone: {
    held: /^(GET|HEAD) .*\/clone\/manifests/,
    run: (gateway: Gateway, { id }: { id: string }) =>
      gateway.graphql('mutation ($id: ID!) { clonePack(id: $id, name: "twin") { __typename } }', {
        id,
      }),
  },
} as const;

test.skipIf(!installed('docker-registry'))(
  'the lease of a repository is kept for as long as its holder works',
  { timeout: 180_000 },
  async () => {
    const docker = await emptyDockerRegistry();
    const DATABASE_URL = await createDatabase();
    const answers = await Promise.all(
      Object.entries(operations).map(async ([name, { held, run }]) => {
        const gate = await startGate(docker.url);
        const environment = { DATABASE_URL, REGISTRY_URL: gate.url };
        const gateway = await startGateway({ environment });
        const pack = name === 'upload' ? {} : await gateway.pack(name);
        await putBystander(gateway, name);
        const hold = gate.hold('before', held);
        const answer = run(gateway, pack);
        // The answer comes first only where something is wrong with it.
        await Promise.race([hold.reached, answer]);
        await pause(LEASE_TTL_MS + 200);
        hold.release();
        const answered = await answer;
        expect(await stateOfBystander(gateway, name), name).toBe('whole');
        return answered;
      }),
    );
    expect(answers).toMatchObject([
      { name: 'upload', status: 'ACTIVE' },
      { data: { deletePack: { __typename: 'DeletedPack' } } },
      { data: { clonePack: { __typename: 'ClonedPack' } } },
    ]);
  },
);
