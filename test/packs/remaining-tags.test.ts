import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { rowOf } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';

// As docker-registry is left when it is killed inside its own DELETE: the manifest is gone, its tag is not.
describe.skipIf(!installed('docker-registry')).each(databaseKinds)('on %s', (database) => {
  test('tags that the registry keeps and nobody can remove are named, in both surfaces and the audit log', async () => {
    const docker = await emptyDockerRegistry();
    const environment = { REGISTRY_URL: docker.url.href };
    const gateway = await startGateway({ database, environment });
    const cutOff = async (name: string) => {
      const { id } = await gateway.pack(name);
      await putBystander(gateway, name);
      const { repository, image_digest } = (await rowOf(gateway, id)) ?? {};
      const revisions = `data/docker/registry/v2/repositories/${repository}/_manifests/revisions`;
      const hex = String(image_digest).slice('sha256:'.length);
      rmSync(join(docker.directory, revisions, 'sha256', hex), { recursive: true });
      return id;
    };
    const { data } = await gateway.graphql(
      `mutation ($id: ID!) { deletePack(id: $id) { ... on DeletedPack { image remainingTags } } }`,
      { id: await cutOff('first') },
    );
    expect(data.deletePack).toEqual({ image: 'ALREADY_GONE', remainingTags: ['1.0.0'] });

    const { status, body } = await gateway.rest('DELETE', `/v1/packs/${await cutOff('second')}`);
    expect({ status, body }).toEqual({
      status: 200,
      body: { status: 'deleted', remaining_tags: ['1.0.0'] },
    });

    const events = await gateway.app.world.database.query<{ details: object }>(
      `select details from audit_events where type = 'PACK_DELETED' and org_id is not null`,
      [],
    );
    expect(events).toHaveLength(2);
    for (const { details } of events) expect(details).toMatchObject({ remainingTags: ['1.0.0'] });

    for (const name of ['first', 'second']) {
      expect(await stateOfBystander(gateway, name)).toBe('whole');
    }

    const third = await gateway.rest('DELETE', `/v1/packs/${(await gateway.pack('third')).id}`);
    expect(third.body).toEqual({ status: 'deleted' });
  });
});
