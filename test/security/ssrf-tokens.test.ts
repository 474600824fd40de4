import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { change } from '../packs/changes.ts';
import { startGateway } from '../support/gateway.ts';
import { startHostileRegistry } from '../support/hostile-registry.ts';
import { startTrap, watchOutgoing } from './outgoing.ts';
import { inBatches, redirect, startRedirecting } from './redirecting-registry.ts';

test('a registry that names a token service elsewhere, or none at all, gets no password sent anywhere', async () => {
  const trap = await startTrap();
  const world = await startRedirecting({ auth: false });
  const { host, port } = trap.url;
  const own = world.registry.url;
  const outgoing = watchOutgoing();
  const realms = [
    `http://localhost:${port}/token`,
    `http://[::1]:${port}/token`,
    `http://${own.host}@localhost:${port}/token`,
    `http://${own.hostname}.evil.example/token`,
    `http://169.254.169.254/latest/meta-data/`,
    `ftp://${own.host}/token`,
    `file:///etc/passwd`,
    `data:application/json,{"token":"x"}`,
    `//${host}/token`,
    '/\\\\localhost/token',
    'token',
    '',
    undefined,
    `http://[broken`,
    `https://localhost:${port}/token`,
    `http://localhost:${port}/${'x'.repeat(12_000)}`,
    // More than any HTTP client reads of headers.
    `http://localhost:${port}/${'x'.repeat(100_000)}`,
  ];
  world.override = ({ path }) => {
    const at = Number(/\/c(\d+)\//.exec(path)?.[1] ?? Number.NaN);
    if (!(at in realms)) return undefined;
    const realm = realms[at];
    const challenge = `Bearer ${realm === undefined ? '' : `realm="${realm}",`}service="s"`;
    return { status: 401, headers: { 'www-authenticate': challenge } };
  };
  await inBatches(world.gateway, realms, async (realm, at) => {
    const answer = await change(world.gateway, 'createPackFromImage', {
      imageRef: `team/c${at}:v1`,
    });
    expect(answer.__typename, String(realm).slice(0, 60)).toBe('RegistryUnavailable');
    expect(JSON.stringify(answer)).not.toContain('canary-password');
  });
  expect(trap.seen).toEqual([]);
  expect(outgoing.lookups).toEqual([]);
  expect(new Set(outgoing.connections)).toEqual(new Set([own.host]));
  expect(world.registry.seen.filter(({ headers }) => headers.authorization)).toEqual([]);
});

test("a token service at the registry's own host is asked, whatever user the realm names", async () => {
  const world = await startRedirecting({ auth: false });
  const { host } = world.registry.url;
  world.override = ({ path, headers }) => {
    if (path.startsWith('/token')) return { status: 200, body: '{"token":"t1"}' };
    if (headers.authorization === 'Bearer t1') return undefined;
    const realm = `http://evil:evil@${host}/token?x=1#fragment`;
    return { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}"` } };
  };
  const read = await world.gateway.app.world.registry.readManifest('a' as never, 'v1' as never);
  expect(read.kind).toBe('found');
  const asked = world.registry.seen.find(({ path }) => path.startsWith('/token'));
  expect(asked?.path).toBe('/token?x=1&scope=repository%3Aa%3Apull');
  expect(asked?.headers.authorization).toBe(`Basic ${btoa('user:canary-password')}`);
});

test("a realm that is a path alone is on the registry's own host", async () => {
  const world = await startRedirecting({ auth: false });
  world.override = ({ path, headers }) => {
    if (path.startsWith('/token')) return { status: 200, body: '{"token":"t1"}' };
    if (headers.authorization === 'Bearer t1') return undefined;
    return { status: 401, headers: { 'www-authenticate': 'Bearer realm="/token",service="s"' } };
  };
  const read = await world.gateway.app.world.registry.readManifest('a' as never, 'v1' as never);
  expect(read.kind).toBe('found');
});

test('a token service that redirects is not followed', async () => {
  const trap = await startTrap();
  const world = await startRedirecting({ auth: false });
  world.override = ({ path }) =>
    path.startsWith('/token')
      ? redirect(trap.url.href, 302)
      : {
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="${world.registry.url.origin}/token"` },
        };
  const answer = await change(world.gateway, 'createPackFromImage', { imageRef: 'team/x:v1' });
  expect(answer.__typename).toBe('RegistryUnavailable');
  expect(world.registry.seen.some(({ path }) => path.startsWith('/token'))).toBe(true);
  expect(trap.seen).toEqual([]);
});

test('an allowed registry may not send us to another port of its host for a token', async () => {
  const trap = await startTrap();
  const other = await startHostileRegistry(() => ({
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${trap.url.origin}/token"` },
  }));
  onTestFinished(() => other.stop());
  const gateway = await startGateway({
    database: 'postgres',
    environment: { REGISTRY_ALLOWED_HOSTS: other.url.host, REGISTRY_DEADLINE_MS: '400' },
  });
  const imageRef = `${other.url.host}/team/x:v1`;
  const answer = await change(gateway, 'createPackFromImage', { imageRef });
  expect(answer.__typename).toBe('RegistryUnavailable');
  expect(other.seen.length).toBeGreaterThan(0);
  expect(trap.seen).toEqual([]);
});

test('keys for session tokens are not fetched from where their address redirects to', async () => {
  const trap = await startTrap();
  const { privateKey } = await generateKeyPair('RS256');
  const jwt = { iss: 'https://login.example', aud: 'packs', sub: 'u', org_id: 'default' };
  const key = await new SignJWT(jwt)
    .setProtectedHeader({ alg: 'RS256', kid: 'k', jku: `${trap.url.origin}/jku` })
    .setExpirationTime('1m')
    .sign(privateKey);
  for (const status of [301, 302, 303, 307, 308]) {
    let asked = 0;
    const issuer = createServer((_request, response) => {
      asked += 1;
      response.writeHead(status, { location: `${trap.url.origin}/jwks` }).end();
    });
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void issuer.close().closeAllConnections());
    // A TCP server that listens has an address with a port.
    const { port } = issuer.address() as AddressInfo;
    const gateway = await startGateway({
      database: 'postgres',
      environment: {
        JWT_ISSUER: jwt.iss,
        JWT_AUDIENCE: jwt.aud,
        JWKS_URL: `http://127.0.0.1:${port}/jwks`,
      },
    });
    const answer = await gateway.rest('GET', '/v1/packs', { key });
    expect([answer.status, answer.body.error.code]).toEqual([503, 'service_unavailable']);
    expect(asked).toBe(1);
  }
  expect(trap.seen).toEqual([]);
});
