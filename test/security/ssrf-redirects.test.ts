import { describe, expect, test } from 'vitest';
import { newUuid } from '../../src/model/ids.ts';
import { change } from '../packs/changes.ts';
import { samplePack } from '../support/archives.ts';
import type { Gateway } from '../support/gateway.ts';
import { type SeenRequest, startHostileRegistry } from '../support/hostile-registry.ts';
import { startTrap, watchOutgoing } from './outgoing.ts';
import { image, inBatches, redirect, startRedirecting } from './redirecting-registry.ts';

/** Where an answer may try to send us: every form of another host, and what is no web address. */
const elsewhere = ({ host, port }: URL, own: URL): readonly string[] => [
  `http://${host}/trapped`,
  `//${host}/trapped`,
  `https://${host}/trapped`,
  `http://user:password@${host}/trapped`,
  `http://${own.host}@${host}/trapped`,
  `http://localhost:${port}/trapped`,
  `http://0x7f000001:${port}/trapped`,
  `\\\\${host}\\trapped`,
  ...nowhere,
];
const nowhere = [
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/latest/meta-data/',
  'http://[::ffff:169.254.169.254]/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://100.100.100.200/latest/meta-data/',
  'file:///etc/passwd',
  'data:application/json,{}',
  'http://[broken',
];
const statuses = [301, 302, 303, 307, 308];

/** `team/c7` of the seventh case. */
const caseOf = ({ path }: SeenRequest): number =>
  Number(/\/c(\d+)\//.exec(path)?.[1] ?? Number.NaN);
const take = (gateway: Gateway, at: number) =>
  change(gateway, 'createPackFromImage', { imageRef: `team/c${at}:v1` });

describe('a registry that answers with another address', () => {
  test('for a manifest is followed to no other host', async () => {
    const trap = await startTrap();
    const world = await startRedirecting();
    const outgoing = watchOutgoing();
    const targets = elsewhere(trap.url, world.registry.url);
    world.override = (request) => {
      const target = targets[caseOf(request)];
      return target === undefined ? undefined : redirect(target, statuses[caseOf(request) % 5]);
    };
    await inBatches(world.gateway, targets, async (target, at) => {
      expect((await take(world.gateway, at)).__typename, target).toBe('RegistryUnavailable');
      expect(
        world.registry.seen.some((request) => caseOf(request) === at),
        target,
      ).toBe(true);
    });
    expect(trap.seen).toEqual([]);
    expect(new Set(outgoing.connections)).toEqual(new Set([world.registry.url.host]));
    expect(outgoing.lookups).toEqual([]);
  });

  test('for a blob is followed to its store, without credentials, and the pack is made', async () => {
    const store = await startHostileRegistry(({ path }) => {
      const blob = image.blobs.find(({ descriptor }) => path.includes(descriptor.digest));
      return (_request, response) => void blob?.open().pipe(response);
    });
    const world = await startRedirecting();
    world.override = ({ path }) => {
      const digest = /\/blobs\/(sha256:.*)$/.exec(path)?.[1];
      if (digest === undefined) return undefined;
      return redirect(`http://user:password@${store.url.host}/${digest}?X-Amz-Signature=1`);
    };
    const taken = await take(world.gateway, 0);
    await store.stop();
    expect(taken.__typename).toBe('CreatedPack');
    expect(store.seen.length).toBeGreaterThan(0);
    for (const { headers } of store.seen) {
      expect(headers.authorization).toBeUndefined();
      expect(headers.cookie).toBeUndefined();
    }
  });

  test("for a blob is not followed to where clouds keep a machine's credentials, nor to what is no web address", async () => {
    const world = await startRedirecting();
    // No real DNS would say this to us.
    const outgoing = watchOutgoing({ 'store.example': '169.254.169.254' });
    const targets = [...nowhere, 'http://store.example/x'];
    world.override = (request) => {
      const target = targets[caseOf(request)];
      return request.path.includes('/blobs/') && target !== undefined
        ? redirect(target, statuses[caseOf(request) % 5])
        : undefined;
    };
    await inBatches(world.gateway, targets, async (target, at) => {
      const answer = await take(world.gateway, at);
      expect(answer.__typename, target).toBe('RegistryUnavailable');
      expect(
        world.registry.seen.some((request) => caseOf(request) === at),
        target,
      ).toBe(true);
    });
    expect(outgoing.lookups).toContain('store.example');
    expect(new Set(outgoing.connections)).toEqual(
      new Set([world.registry.url.host, 'store.example']),
    );
    expect(outgoing.attempts.filter((address) => !address.startsWith('127.'))).toEqual([]);
  });

  test('for a blob is not followed from https to http', async () => {
    const trap = await startTrap();
    const world = await startRedirecting({ tls: true });
    world.override = ({ path }) => (path.includes('/blobs/') ? redirect(trap.url.href) : undefined);
    expect((await take(world.gateway, 0)).__typename).toBe('RegistryUnavailable');
    expect(world.registry.seen.some(({ path }) => path.includes('/blobs/'))).toBe(true);
    expect(trap.seen).toEqual([]);
  });

  test('for any part of an upload gets neither bytes nor credentials there', async () => {
    const trap = await startTrap();
    const world = await startRedirecting();
    const outgoing = watchOutgoing();
    const steps: Record<string, (request: SeenRequest) => boolean> = {
      'HEAD blob': ({ method }) => method === 'HEAD',
      'POST upload': ({ method }) => method === 'POST',
      'PUT blob': ({ method, path }) => method === 'PUT' && path.includes('/blobs/'),
      'PUT manifest': ({ method, path }) => method === 'PUT' && path.includes('/manifests/'),
    };
    const targets = elsewhere(trap.url, world.registry.url);
    const cases = [
      ...Object.entries(steps).map(([step, is]) => ({ step, is, answer: redirect(trap.url.href) })),
      ...targets.map((target) => ({
        step: `Location ${target}`,
        is: ({ method }: SeenRequest) => method === 'POST',
        answer: redirect(target, 202),
      })),
    ];
    world.override = (request) => {
      // The path of an upload that began is the registry's own, which does not name the case.
      const at = request.path.includes('/uploads/1') ? 2 : caseOf(request);
      return cases[at]?.is(request) ? cases[at].answer : undefined;
    };
    for (const [at, { step }] of cases.entries()) {
      const uploaded = await world.gateway.upload(samplePack({ name: `c${at}` }));
      expect(uploaded.__typename, step).toBe('RegistryUnavailable');
      await world.gateway.app.world.registry.readManifest('fine' as never, 'v1' as never);
    }
    expect(trap.seen).toEqual([]);
    expect(new Set(outgoing.connections)).toEqual(new Set([world.registry.url.host]));
  });

  test('for any part of a deletion keeps the row, and nothing is asked there', async () => {
    const trap = await startTrap();
    const world = await startRedirecting();
    const outgoing = watchOutgoing();
    const next = { status: 200, headers: { link: `<${trap.url.href}>; rel="next"` } };
    const cases = [
      { step: 'GET manifest', is: 'GET /manifests/', answer: redirect(trap.url.href) },
      { step: 'GET tags', is: 'GET /tags/', answer: redirect(trap.url.href) },
      { step: 'GET referrers', is: 'GET /referrers/', answer: redirect(trap.url.href) },
      { step: 'next tags', is: 'GET /tags/', answer: { ...next, body: '{"tags":["v1"]}' } },
      ...statuses.map((status) => ({
        step: `DELETE manifest ${status}`,
        is: 'DELETE /manifests/',
        answer: redirect(trap.url.href, status),
      })),
    ];
    world.override = (request) => {
      const one = cases[caseOf(request)];
      const [method, part = ''] = one?.is.split(' ') ?? [];
      return request.method === method && request.path.includes(part) ? one?.answer : undefined;
    };
    await inBatches(world.gateway, cases, async ({ step }, at) => {
      const id = await plantPack(world.gateway, `c${at}`);
      const answer = await change(world.gateway, 'deletePack', { id });
      expect(answer.__typename, step).toBe('RegistryCleanupFailed');
      const { body } = await world.gateway.rest('GET', `/v1/packs/${id}`);
      expect(body.status, step).toBe('cleanup_failed');
    });
    expect(trap.seen).toEqual([]);
    expect(new Set(outgoing.connections)).toEqual(new Set([world.registry.url.host]));
  });
});

/** An uploaded pack whose image the registry claims to have. */
async function plantPack({ app }: Gateway, name: string): Promise<string> {
  const uuid = newUuid();
  await app.world.database.query(
    `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs, image_origin,
       repository, image_ref, image_digest, size_bytes, status, cleanup_attempts, created_at, updated_at)
     select $1, id, $2::text, '1.0.0', 'Planted', 'COMMUNITY', 'ORG', '{}', 'UPLOAD',
       'packs/default/' || $2::text, 'packs/default/planted:1.0.0', $3, 1, 'ACTIVE', 0, now(), now() from orgs`,
    [uuid, name, image.descriptor.digest],
  );
  return `pack_${uuid}`;
}
