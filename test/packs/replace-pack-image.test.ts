import { describe, expect, onTestFinished, test } from 'vitest';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';
import { change, events, packImage, pulls, pushImage, setStatus } from './changes.ts';

const PLACE = 'packs/default/triage';
const next = () => packImage({ name: 'triage', version: '2.0.0', description: 'The next one.' });

describe.each(deployments)('replacePackImage on $database with $registry', (deployment) => {
  const start = async () =>
    startGateway({
      database: deployment.database,
      environment: await registryEnvironment(deployment.registry),
    });

  test('an upload gets the new image, keeps its id, and its old image is gone', async () => {
    const gateway = await start();
    const { id, imageDigest } = await gateway.pack('triage');
    const digest = await pushImage(gateway, PLACE, 'next', next());
    const imageRef = `${PLACE}:next`;
    const replaced = await change(gateway, 'replacePackImage', { id, imageRef });
    expect(replaced).toMatchObject({
      __typename: 'ReplacedPackImage',
      pack: { id, version: '2.0.0', imageOrigin: 'IMAGE_REF', imageDigest: digest },
    });
    expect(replaced.pack.description).toBe('The next one.');
    expect(await pulls(gateway, PLACE, imageDigest)).toBe(false);
    expect(await pulls(gateway, PLACE, digest)).toBe(true);
    const again = await change(gateway, 'replacePackImage', { id, imageRef });
    expect(again.pack).toEqual(replaced.pack);
    const types = (await events(gateway)).map(({ type }) => type);
    expect(types).toEqual(['PACK_UPLOADED', 'PACK_IMAGE_REPLACED']);
  });

  test('the same image again leaves an upload an upload', async () => {
    const gateway = await start();
    const { id, imageDigest } = await gateway.pack('triage');
    const imageRef = `${PLACE}@${imageDigest}`;
    const same = await change(gateway, 'replacePackImage', { id, imageRef });
    expect(same.pack).toMatchObject({ imageOrigin: 'UPLOAD', imageDigest });
    expect(await pulls(gateway, PLACE, imageDigest)).toBe(true);
  });

  test('refuses another repository, another pack and a pack that is being deleted', async () => {
    const gateway = await start();
    const other = await gateway.org('globex');
    const { id, imageDigest } = await gateway.pack('triage', { visibility: 'COMMUNITY' });
    await pushImage(gateway, 'team/triage', 'v1', next());
    await pushImage(gateway, PLACE, 'other', packImage({ name: 'other' }));
    for (const imageRef of ['team/triage:v1', `${PLACE}:other`, `${PLACE}:none`, 'x']) {
      const answer = await change(gateway, 'replacePackImage', { id, imageRef });
      expect(answer, imageRef).toMatchObject({ fields: [{ path: 'imageRef' }] });
    }
    const variables = { id, imageRef: `${PLACE}:other` };
    const foreign = await change(gateway, 'replacePackImage', variables, other);
    expect(foreign.__typename).toBe('NotFound');
    expect(await pulls(gateway, PLACE, imageDigest)).toBe(true);
    await setStatus(gateway, id, 'DELETING');
    const dying = await change(gateway, 'replacePackImage', variables);
    expect(dying.__typename).toBe('PackBeingDeleted');
    expect((await events(gateway)).map(({ type }) => type)).toEqual(['PACK_UPLOADED']);
  });
});

test.skipIf(!installed('docker-registry'))(
  'where the old image cannot be purged the pack is as it was, and a later try succeeds',
  async () => {
    const readOnly = await startDockerRegistry({ deletes: false });
    onTestFinished(() => readOnly.stop());
    const gateway = await startGateway({ environment: { REGISTRY_URL: readOnly.url.href } });
    const before = await gateway.pack('triage');
    await pushImage(gateway, PLACE, 'next', next());
    const variables = { id: before.id, imageRef: `${PLACE}:next` };
    const failed = await change(gateway, 'replacePackImage', variables);
    expect(failed).toMatchObject({ __typename: 'RegistryUnavailable' });
    // The purge may have removed what refers to the image before it failed.
    expect(failed.message).toMatch(
      /The pack keeps its image, .* signatures of that image may be gone/,
    );
    expect(failed.message).not.toContain('Nothing was changed');
    const query = '{ packs { nodes { id version imageDigest imageOrigin } } }';
    const { data } = await gateway.graphql(query);
    const { id, version, imageDigest } = before;
    expect(data.packs.nodes).toEqual([{ id, version, imageDigest, imageOrigin: 'UPLOAD' }]);
    expect(await pulls(gateway, PLACE, imageDigest)).toBe(true);

    const { directory, url } = readOnly;
    await readOnly.kill();
    const repaired = await startDockerRegistry({ directory, port: Number(url.port) });
    onTestFinished(() => repaired.stop());
    const retried = await change(gateway, 'replacePackImage', variables);
    expect(retried.__typename).toBe('ReplacedPackImage');
    expect(await pulls(gateway, PLACE, imageDigest)).toBe(false);
  },
);

test.skipIf(!installed('docker-registry'))(
  'where nobody can tell whether the old image is gone the pack keeps the new one',
  async () => {
    const docker = await emptyDockerRegistry();
    const gate = await startGate(docker.url);
    const gateway = await startGateway({
      environment: { REGISTRY_URL: gate.url, REGISTRY_DEADLINE_MS: '1000' },
    });
    const before = await gateway.pack('triage');
    const digest = await pushImage(gateway, PLACE, 'next', next());
    const held = gate.hold('after', /^DELETE .*\/manifests\//);
    const replacing = change(gateway, 'replacePackImage', {
      id: before.id,
      imageRef: `${PLACE}:next`,
    });
    await held.reached;
    gate.refuse({ request: /./, status: 503 });
    expect(await replacing).toMatchObject({
      __typename: 'ReplacedPackImage',
      pack: { imageDigest: digest, version: '2.0.0' },
    });
    held.release();
    gate.refuse(undefined);
    const { data } = await gateway.graphql('{ packs { nodes { id imageDigest } } }');
    expect(data.packs.nodes).toEqual([{ id: before.id, imageDigest: digest }]);
    expect(await pulls(gateway, PLACE, before.imageDigest)).toBe(false);
    const left = gateway.logs.find(({ msg }) => msg === 'image left behind');
    expect(left).toMatchObject({ repository: PLACE, digest: before.imageDigest });
  },
);
