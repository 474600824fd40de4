/** The process dies while it changes what is in a pack: the pack has an image throughout, and the next change goes on. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkImages } from '../../src/consistency/check-images.ts';
import { samplePack } from '../support/archives.ts';
import { isPullable, rowOf } from '../support/deletion.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';
import { pulls } from './changes.ts';

const PLACE = 'packs/default/triage';
const BY_DIGEST = '/v2/packs/default/triage/manifests/sha256:[0-9a-f]{64}$';

const put = (url: string, path: string, body: FormData | string) =>
  fetch(`${url}/v1/packs/${path}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${OWNER_KEY}` },
    body,
  });

/** Each change, and the version that the pack then has. */
const changes = {
  'a file is replaced': {
    version: '1.0.0',
    make: (url: string, id: string) => put(url, `${id}/files/data/new.txt`, 'new'),
  },
  'the next version is shipped': {
    version: '2.0.0',
    make: (url: string, id: string) => {
      const form = new FormData();
      const archive = samplePack({ name: 'triage', version: '2.0.0' });
      form.set('archive', new File([new Uint8Array(archive)], 'pack.tar.gz'));
      return put(url, `${id}/archive`, form);
    },
  },
} as const;

describe.skipIf(!installed('docker-registry')).each(databaseKinds)(
  'kill -9 while a pack is changed, database %s with docker-registry',
  (database) => {
    test.each([
      ['a file is replaced', 'before the old image is tagged', 'before', '^PUT .*/replaced-'],
      ['a file is replaced', 'before the new manifest', 'before', '^PUT .*/manifests/1.0.0$'],
      ['a file is replaced', 'after the new manifest', 'after', '^PUT .*/manifests/1.0.0$'],
      ['a file is replaced', 'after the row, before the purge', 'before', `^DELETE ${BY_DIGEST}`],
      ['a file is replaced', 'after the purge', 'after', `^DELETE ${BY_DIGEST}`],
      ['the next version is shipped', 'before its layer', 'before', '^P.* .*/blobs/uploads'],
      ['the next version is shipped', 'before its manifest', 'before', '^PUT .*/manifests/2.0.0$'],
      ['the next version is shipped', 'after its manifest', 'after', '^PUT .*/manifests/2.0.0$'],
      ['the next version is shipped', 'before the purge', 'before', `^DELETE ${BY_DIGEST}`],
      ['the next version is shipped', 'after the purge', 'after', `^DELETE ${BY_DIGEST}`],
    ] as const)('%s: %s', async (what, _moment, side, request) => {
      const { version, make } = changes[what];
      const docker = await startDockerRegistry();
      onTestFinished(() => docker.stop());
      const gate = await startGate(docker.url);
      const setup = await startGateway({ database, environment: { REGISTRY_URL: gate.url } });
      const { id } = await setup.pack('triage');
      await setup.close();

      const server = await startServer(setup.environment);
      const held = gate.hold(side, new RegExp(request));
      const answer = make(server.url, id).catch(() => 'connection lost');
      await held.reached;
      await server.kill();
      expect(await answer).toBe('connection lost');
      held.release();

      const next = await startGateway({ environment: setup.environment });
      const left = await rowOf(next, id);
      expect(left && (await isPullable(next, left))).toBe(true);
      const again = await make(await listening(next), id);
      expect(again.status, await again.text()).toBe(200);
      const row = await rowOf(next, id);
      expect(row && (await isPullable(next, row))).toBe(true);
      expect(await pulls(next, PLACE, version)).toBe(true);
      // What is left of an image that no pack has is named.
      const { database: rows, registry } = next.app.world;
      const findings = await checkImages({ database: rows, registry }, 'packs');
      const images = await registry.listImages('packs');
      if (images.kind !== 'listed') throw new Error(images.detail);
      const unheld = images.images.filter(({ digest }) => digest !== row?.image_digest);
      expect(findings).toHaveLength(unheld.length);
    });
  },
);
