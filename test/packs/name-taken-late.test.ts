/** A name that is taken while the image of the pack that was to have it is on its way to the registry. */
import { describe, expect, test } from 'vitest';
import type { Digest, Repository } from '../../src/registry/registry.ts';
import { samplePack } from '../support/archives.ts';
import { insertUnmanagedPack } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { change, packImage, pulls, pushImage } from './changes.ts';

const PLACE = 'packs/default/triage';

async function start(): Promise<{ gateway: Gateway; gate: Gate }> {
  const docker = await emptyDockerRegistry();
  const gate = await startGate(docker.url);
  const environment = { REGISTRY_URL: gate.url };
  return { gateway: await startGateway({ database: 'postgres', environment }), gate };
}

const leases = ({ app }: Gateway) =>
  app.world.database.query('select * from repository_leases', []);

describe.skipIf(!installed('docker-registry'))('when the name is taken after the push', () => {
  test.each(['uploadPack', 'clonePack'])('%s takes its image back', async (way) => {
    const { gateway, gate } = await start();
    const source = await gateway.pack('source');
    await pushImage(gateway, 'team/triage', 'v1', packImage({ name: 'triage' }));
    const held = gate.hold('after', new RegExp(`^PUT /v2/${PLACE}/manifests/`));
    const late =
      way === 'uploadPack'
        ? gateway.upload(samplePack({ name: 'triage' }))
        : change(gateway, 'clonePack', { id: source.id, name: 'triage' });
    await held.reached;
    expect(await pulls(gateway, PLACE, '1.0.0')).toBe(true);
    const first = await change(gateway, 'createPackFromImage', { imageRef: 'team/triage:v1' });
    expect(first.__typename).toBe('CreatedPack');
    held.release();
    expect((await late).__typename).toBe('NameTaken');
    expect(await pulls(gateway, PLACE, '1.0.0')).toBe(false);
    expect(await pulls(gateway, 'packs/default/source', '1.0.0')).toBe(true);
    expect(await leases(gateway)).toEqual([]);
  });

  test('an image that another pack points at stays', async () => {
    const { gateway, gate } = await start();
    const held = gate.hold('after', new RegExp(`^PUT /v2/${PLACE}/manifests/`));
    const late = gateway.upload(samplePack({ name: 'triage' }));
    await held.reached;
    const answer = await fetch(`${gate.url}/v2/${PLACE}/manifests/1.0.0`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    // What the registry says of what we have just pushed there.
    const image_digest = answer.headers.get('docker-content-digest') as Digest;
    const image = { repository: PLACE as Repository, image_digest };
    await insertUnmanagedPack(gateway, { name: 'triage', image });
    held.release();
    expect((await late).__typename).toBe('NameTaken');
    expect(await pulls(gateway, PLACE, '1.0.0')).toBe(true);
    expect(await leases(gateway)).toEqual([]);
  });
});
