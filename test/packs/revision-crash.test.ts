/** The process dies while it changes what is in a pack: the pack has an image throughout, and the next change goes on. */
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import { createLayoutRegistry } from '../../src/registry/layout/layout-registry.ts';
import { samplePack } from '../support/archives.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { consistencyFindings } from '../support/consistency-findings.ts';
import { deletePack, isPullable, rowOf } from '../support/deletion.ts';
import type { Death } from '../support/die-at.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { isSweep, longDatabaseKinds } from '../support/extent.ts';
import { type Held, startGate } from '../support/gate.ts';
import { type DatabaseKind, type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { listImages } from '../support/list-images.ts';
import { listening } from '../support/listening.ts';
import { blobChanged, indexWritten, startMortalServer } from '../support/mortal-server.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { pulls } from './changes.ts';

const authorization = `Bearer ${OWNER_KEY}`;

const send = (method: string, url: string, path: string, body?: FormData | string) =>
  fetch(`${url}/v1/packs${path}`, {
    method,
    headers: { authorization },
    ...(body === undefined ? {} : { body }),
  });

function archiveOf(name: string, version: string): FormData {
  const form = new FormData();
  const archive = samplePack({ name, version });
  form.set('archive', new File([new Uint8Array(archive)], 'pack.tar.gz'));
  return form;
}

interface Pack {
  readonly id: string;
  readonly name: string;
}

/** Each change, the version that the pack then has, and how one is answered that a dead process had made already. */
const changes = {
  'a file is replaced': {
    version: '1.0.0',
    make: (url: string, { id }: Pack) => send('PUT', url, `/${id}/files/data/new.txt`, 'new'),
    again: 200,
  },
  'a file is deleted': {
    version: '1.0.0',
    make: (url: string, { id }: Pack) => send('DELETE', url, `/${id}/files/behavior.md`),
    again: 404,
  },
  'the next version is shipped': {
    version: '2.0.0',
    make: (url: string, { id, name }: Pack) =>
      send('PUT', url, `/${id}/archive`, archiveOf(name, '2.0.0')),
    again: 200,
  },
} as const;

type Change = keyof typeof changes;

/** A pack, and where in its change a process died. */
interface Killed {
  readonly what: Change;
  readonly moment: string;
  readonly pack: Pack;
}

async function uploadPack({ url }: ServerProcess, name: string): Promise<Pack> {
  const uploaded = await send('POST', url, '/upload', archiveOf(name, '1.0.0'));
  return { id: (await uploaded.json()).id, name };
}

/** Begins the change; the server must die before it answers. */
const changed = ({ url }: ServerProcess, { what, pack }: Killed): Promise<string> =>
  changes[what].make(url, pack).then(
    ({ status }) => `answered with ${status}`,
    () => 'connection lost',
  );

/** Every pack has an image that can be pulled, and takes its change. */
async function expectToConverge(
  environment: Gateway['environment'],
  killed: readonly Killed[],
): Promise<void> {
  const next = await startGateway({ environment });
  const url = await listening(next);
  const { registry } = next.app.world;
  const held = new Set<string>();
  for (const { what, moment, pack } of killed) {
    const left = await rowOf(next, pack.id);
    expect(left && (await isPullable(next, left)), moment).toBe(true);
    const { version, make, again } = changes[what];
    const answer = await make(url, pack);
    expect([200, again], `${moment}: ${await answer.text()}`).toContain(answer.status);
    const row = await rowOf(next, pack.id);
    expect(row && (await isPullable(next, row)), moment).toBe(true);
    expect(await pulls(next, `packs/default/${pack.name}`, version), moment).toBe(true);
    held.add(`${row?.repository}@${row?.image_digest}`);
    expect(await stateOfBystander(next, pack.name), moment).toBe('whole');
  }
  // What is left of an image that no pack has is named.
  const findings = await consistencyFindings(next.app.world);
  const images = await listImages(registry, 'packs');
  if (images.kind !== 'listed') throw new Error(images.detail);
  const unheld = images.images.filter(
    ({ repository, digest }) => !held.has(`${repository}@${digest}`),
  );
  expect(findings).toHaveLength(unheld.length);
  for (const { moment, pack } of killed) {
    expect(await deletePack(next, pack.id), moment).toMatchObject({ image: 'PURGED' });
    expect(await stateOfBystander(next, pack.name), moment).toBe('whole');
  }
}

const PUT = '^PUT /v2/packs/default/';
const DELETE = '^DELETE /v2/packs/default/';
const BY_DIGEST = '/manifests/sha256:[0-9a-f]{64}$';

describe.skipIf(!installed('docker-registry')).each(longDatabaseKinds)(
  'kill -9 while packs are changed, database %s with docker-registry',
  (database) => {
    test('each at another step', async () => {
      const docker = await emptyDockerRegistry();
      const store = createDistributionRegistry({ url: docker.url, deadlineMs: 10_000 });
      onTestFinished(() => store.close());
      const gate = await startGate(docker.url);
      // What is held first waits for all the others to be held.
      const environment = { REGISTRY_URL: gate.url, REGISTRY_DEADLINE_MS: '120000' };
      const setup = await startGateway({ database, environment });
      await setup.close();
      const server = await startServer(setup.environment);
      const moments = [
        ['a file is replaced', 'before the old image is tagged', 'before', PUT, '.*/replaced-'],
        ['a file is replaced', 'before its manifest', 'before', PUT, '/manifests/1.0.0$'],
        ['a file is deleted', 'after its manifest', 'after', PUT, '/manifests/1.0.0$'],
        ['a file is replaced', 'after the row, before the purge', 'before', DELETE, BY_DIGEST],
        ['a file is deleted', 'after the purge', 'after', DELETE, BY_DIGEST],
        ['the next version is shipped', 'before its layer', 'before', '^P.* .*/', '/blobs/uploads'],
        ['the next version is shipped', 'before its manifest', 'before', PUT, '/manifests/2.0.0$'],
        ['the next version is shipped', 'after its manifest', 'after', PUT, '/manifests/2.0.0$'],
        ['the next version is shipped', 'before the purge', 'before', DELETE, BY_DIGEST],
        ['the next version is shipped', 'after the purge', 'after', DELETE, BY_DIGEST],
      ] as const;
      const killed: Killed[] = [];
      const answers: Promise<string>[] = [];
      const held: Held[] = [];
      for (const [what, step, side, begin, end] of moments) {
        const pack = await uploadPack(server, `pack-${killed.length}`);
        await putBystander(store, pack.name);
        const one = { what, moment: `${what}: ${step}`, pack };
        const hold = gate.hold(side, new RegExp(`${begin}${pack.name}${end}`));
        const answer = changed(server, one);
        expect(await Promise.race([answer, hold.reached]), one.moment).toBeUndefined();
        killed.push(one);
        answers.push(answer);
        held.push(hold);
      }
      await server.kill();
      for (const answer of answers) expect(await answer).toBe('connection lost');
      for (const { release } of held) release();
      await expectToConverge(setup.environment, killed);
    });
  },
);

/** Of a change that keeps the version the index is written thrice: for a spare tag, for the new image, and by the purge. */
const aroundTheRow = [
  ['a file is deleted', 'after the index names the new image', indexWritten('after', 2)],
  ['a file is replaced', 'after the row, before the purge', indexWritten('before', 3)],
  ['the next version is shipped', 'while the old content goes', blobChanged('after', 'rm')],
] as const;

const everywhere = [
  ...aroundTheRow,
  ['a file is replaced', 'before the old image is tagged', indexWritten('before', 1)],
  ['a file is deleted', 'after the old image is tagged', indexWritten('after', 1)],
  ['a file is replaced', 'while its content is put in its place', blobChanged('after', 'rename')],
  ['a file is replaced', 'before the index names the new image', indexWritten('before', 2)],
  ['a file is deleted', 'after the purge, before its content goes', blobChanged('before', 'rm')],
  ['the next version is shipped', 'before the index names it', indexWritten('before', 1)],
  ['the next version is shipped', 'after the index names it', indexWritten('after', 1)],
  ['the next version is shipped', 'after the row, before the purge', indexWritten('before', 2)],
] as const;

type Moments = readonly (readonly [Change, string, Death])[];
const covered: [DatabaseKind, Moments][] = isSweep
  ? [
      ['postgres', aroundTheRow],
      ['embedded', everywhere],
    ]
  : [['embedded', aroundTheRow.slice(1, 2)]];

describe.each(covered)(
  'kill -9 while a pack is changed, database %s with the embedded registry',
  (database, moments) => {
    test('at each step', { timeout: 600_000 }, async () => {
      const setup = await startGateway({ database });
      await setup.close();
      const store = await createLayoutRegistry({
        directory: join(setup.dataDirectory, 'registry'),
      });
      onTestFinished(() => store.close());
      const killed: Killed[] = [];
      for (const [what, step, death] of moments) {
        const server = await startMortalServer(setup);
        const pack = await uploadPack(server, `pack-${killed.length}`);
        await putBystander(store, pack.name);
        const one = { what, moment: `${what}: ${step}`, pack };
        server.dieAt(death);
        expect(await changed(server, one), one.moment).toBe('connection lost');
        await server.died();
        killed.push(one);
      }
      await expectToConverge(setup.environment, killed);
    });
  },
);
