/** A purge whose last request is still on its way: nobody may take its repository meanwhile, however long it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LEASE_TTL_MS } from '../../src/database/repository-lease.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { deletePack, isPullable, rowOf } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';

test.skipIf(!installed('docker-registry'))(
  'a second deletion waits for the first, so that no late purge takes the image of a later upload',
  { timeout: 180_000 },
  async () => {
    const docker = await emptyDockerRegistry();
    const gate = await startGate(docker.url);
    const slow = await startGateway({
      database: 'postgres',
      environment: { REGISTRY_URL: gate.url, REGISTRY_DEADLINE_MS: '20000' },
    });
    const fast = await startGateway({
      environment: { ...slow.environment, REGISTRY_URL: docker.url.href },
    });
    const { id } = await slow.pack('triage');
    await putBystander(slow, 'triage');
    const held = gate.hold('before', /^DELETE .*\/manifests\//);
    const first = deletePack(slow, id);
    await held.reached;
    const second = deletePack(fast, id);
    // Longer than a lease that is not renewed.
    const early = await Promise.race([second, pause(LEASE_TTL_MS + 1_000, 'still waiting')]);
    if (early !== 'still waiting') {
      const again = await fast.pack('triage');
      held.release();
      await first;
      const row = await rowOf(fast, again.id);
      expect(row && (await isPullable(fast, row)), 'the later upload has its image').toBe(true);
    }
    expect(early).toBe('still waiting');
    held.release();
    const types = [await first, await second].map(({ __typename }) => __typename);
    expect(types.toSorted()).toEqual(['DeletedPack', 'NotFound']);
    expect(await stateOfBystander(fast, 'triage')).toBe('whole');
    const again = await fast.pack('triage');
    const row = await rowOf(fast, again.id);
    expect(row && (await isPullable(fast, row))).toBe(true);
  },
);
