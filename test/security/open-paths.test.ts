/** What anybody may ask, as often as they like. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Registry } from '../../src/registry/registry.ts';
import { createHealth } from '../../src/server/health.ts';
import { startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test('/readyz asks its parts once, however many ask it at the same moment', async () => {
  const gateway = await startGateway();
  const before = gateway.statements.length;
  const probes = await Promise.all(
    Array.from({ length: 50 }, () => gateway.app.fetch(new Request('http://gateway/readyz'))),
  );
  const asked = gateway.statements.length - before;
  expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([200]));
  const alone = await startGateway();
  const first = alone.statements.length;
  await alone.app.fetch(new Request('http://gateway/readyz'));
  expect(asked).toBe(alone.statements.length - first);
});

/** A fake, because no disk of ours hangs when it is told to. */
test('/readyz answers although the disk of the embedded registry does not', async () => {
  const { app } = await startGateway();
  const hanging: Registry = { ...app.world.registry, check: () => new Promise(() => {}) };
  const health = createHealth({ ...app.world, registry: hanging });
  expect(await health.readiness()).toMatchObject({
    ready: true,
    body: { status: 'ready', database: 'ok', registry: 'too slow' },
  });
});

test.each(['/graphql', '/v1/packs'])(
  'a gzipped body is inflated to a megabyte and no further: %s',
  async (path) => {
    const gateway = await startGateway();
    const body = gzipSync(new Uint8Array(64 * 1024 ** 2).fill(0x20));
    const headers = {
      authorization: `Bearer ${OWNER_KEY}`,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    };
    const request = new Request(`http://gateway${path}`, { method: 'POST', headers, body });
    expect((await gateway.app.fetch(request)).status).toBe(413);
  },
);
