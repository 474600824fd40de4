/** docker-registry at the far end of a network that is slow, or loses answers to what the registry has done. */
import { expect, onTestFinished, test } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { deletePack, isPullable, rowOf } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { startUnsteadyLink, type UnsteadyLink } from './unsteady-link.ts';

const archive = samplePack({ name: 'triage' });

async function behindLink(): Promise<{ gateway: Gateway; link: UnsteadyLink }> {
  const docker = await emptyDockerRegistry();
  const link = await startUnsteadyLink(docker.url);
  onTestFinished(() => link.stop());
  const environment = { REGISTRY_URL: link.url.href, REGISTRY_DEADLINE_MS: '2000' };
  return { gateway: await startGateway({ database: 'postgres', environment }), link };
}

const cutting = (status: string) => ({
  cutAfter: (piece: Buffer) =>
    piece.toString('latin1', 0, 12) === `HTTP/1.1 ${status}` ? 20 : null,
});

test.skipIf(!installed('docker-registry'))(
  'an upload whose answers are cut is refused with a code, and the same upload succeeds afterwards',
  async () => {
    const { gateway, link } = await behindLink();
    link.trouble = cutting('201');
    expect(await gateway.upload(archive)).toMatchObject({ __typename: 'RegistryUnavailable' });
    expect(link.cuts).toBeGreaterThan(0);
    expect(await gateway.graphql('{ packs { nodes { id } } }')).toEqual({
      data: { packs: { nodes: [] } },
    });
    link.trouble = null;
    const { __typename, pack } = await gateway.upload(archive);
    expect(__typename).toBe('UploadedPack');
    const row = await rowOf(gateway, pack.id);
    expect(row && (await isPullable(gateway, row))).toBe(true);
  },
);

test.skipIf(!installed('docker-registry'))(
  'a deletion that the registry has carried out but not answered is known as done',
  async () => {
    const { gateway, link } = await behindLink();
    const { id } = await gateway.pack('triage');
    await putBystander(gateway, 'triage');
    const row = await rowOf(gateway, id);
    link.trouble = cutting('202');
    expect(await deletePack(gateway, id)).toMatchObject({ __typename: 'DeletedPack' });
    expect(link.cuts).toBe(1);
    link.trouble = null;
    expect(row && (await isPullable(gateway, row))).toBe(false);
    expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  },
);

test.skipIf(!installed('docker-registry'))(
  'a registry whose answers trickle too slowly is a timeout, and nothing is half done afterwards',
  async () => {
    const { gateway, link } = await behindLink();
    const { id } = await gateway.pack('triage');
    await putBystander(gateway, 'triage');
    link.trouble = { answerDelay: () => 500, trickle: 2 };
    expect(await deletePack(gateway, id)).toMatchObject({
      __typename: 'RegistryCleanupFailed',
      reason: 'TIMEOUT',
    });
    link.trouble = null;
    expect(await deletePack(gateway, id)).toMatchObject({ __typename: 'DeletedPack' });
    expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  },
);
