/** The process dies while it changes what is in a pack: the pack has an image throughout, and the next change goes on. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkImages } from '../../src/consistency/check-images.ts';
import { isPullable, rowOf } from '../support/deletion.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';
import { pulls } from './changes.ts';

const PLACE = 'packs/default/triage';
const BY_DIGEST = '/v2/packs/default/triage/manifests/sha256:[0-9a-f]{64}$';

const putFile = (url: string, id: string) =>
  fetch(`${url}/v1/packs/${id}/files/data/new.txt`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${OWNER_KEY}` },
    body: 'new',
  });

describe.skipIf(!installed('docker-registry')).each(databaseKinds)(
  'kill -9 while a file is replaced, database %s with docker-registry',
  (database) => {
    test.each([
      ['before the old image is tagged', 'before', '^PUT .*/manifests/replaced-'],
      ['before the new manifest', 'before', '^PUT .*/manifests/1.0.0$'],
      ['after the new manifest, before the row', 'after', '^PUT .*/manifests/1.0.0$'],
      ['after the row, before the purge', 'before', `^DELETE ${BY_DIGEST}`],
      ['after the purge', 'after', `^DELETE ${BY_DIGEST}`],
    ] as const)('%s', async (_moment, side, request) => {
      const docker = await startDockerRegistry();
      onTestFinished(() => docker.stop());
      const gate = await startGate(docker.url);
      const setup = await startGateway({ database, environment: { REGISTRY_URL: gate.url } });
      const { id } = await setup.pack('triage');
      await setup.close();

      const server = await startServer(setup.environment);
      const held = gate.hold(side, new RegExp(request));
      const answer = putFile(server.url, id).catch(() => 'connection lost');
      await held.reached;
      await server.kill();
      expect(await answer).toBe('connection lost');
      held.release();

      const next = await startGateway({ environment: setup.environment });
      const left = await rowOf(next, id);
      expect(left && (await isPullable(next, left))).toBe(true);
      const again = await next.rest('PUT', `/v1/packs/${id}/files/data/new.txt`, { body: 'new' });
      expect(again.status, JSON.stringify(again.body)).toBe(200);
      const row = await rowOf(next, id);
      expect(row && (await isPullable(next, row))).toBe(true);
      expect(await pulls(next, PLACE, '1.0.0')).toBe(true);
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
