import { expect, test } from 'vitest';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { DELETE, role } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test.skipIf(!installed('docker-registry'))(
  'each request and each of its registry calls is one log line with the same request id',
  async () => {
    const docker = await emptyDockerRegistry();
    const environment = { REGISTRY_URL: docker.url.href };
    const gateway = await startGateway({ database: 'postgres', environment });
    const { id } = await gateway.pack('triage');
    await putBystander(gateway, 'triage');
    const held = await gateway.pack('held');
    await role(gateway, 'on-call', [held.id]);
    gateway.logs.length = 0;

    await gateway.graphql(DELETE, { id });
    const { data } = await gateway.graphql(DELETE, { id: held.id });
    const { requestId } = data.deletePack;

    const requests = gateway.logs.filter(({ msg }) => msg === 'request');
    expect(requests).toHaveLength(2);
    const [deleted, refused] = requests;
    expect(deleted).toMatchObject({
      requestId: expect.stringMatching(/./),
      org: expect.stringMatching(/^org_/),
      key: expect.stringMatching(/^key_/),
      operation: 'mutation deletePack',
      outcome: 'deleted',
      ms: expect.any(Number),
    });
    expect(refused).toMatchObject({ requestId, outcome: 'pack_in_use' });

    const calls = gateway.logs.filter(({ msg }) => msg === 'registry call');
    expect(calls.map(({ operation }) => operation)).toContain('DELETE manifest');
    for (const call of calls) {
      expect(call).toMatchObject({
        requestId: deleted?.requestId,
        outcome: expect.any(String),
        milliseconds: expect.any(Number),
      });
    }
    // The refusal came before anybody asked the registry.
    expect(calls.some((call) => call.requestId === requestId)).toBe(false);
    expect(JSON.stringify(gateway.logs)).not.toContain(OWNER_KEY);
    expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  },
);
