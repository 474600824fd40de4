/** The same promise as in canaries.test.ts, for the whole process: its log, its metrics, its traces and its tokens. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { packImage } from '../packs/changes.ts';
import { digestOf } from '../registry/distribution/images.ts';
import { samplePack } from '../support/archives.ts';
import { createDatabase } from '../support/databases.ts';
import { startHostileRegistry } from '../support/hostile-registry.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';

const canary = {
  wrongKey: 'sk_canary-wrong-key-0123456789abcdefghijklm',
  registryPassword: 'canary-registry-password',
  registryToken: 'canary-registry-token',
  registryBody: 'canary-registry-body /var/lib/registry/docker',
  registryHeader: 'canary-registry-header',
  file: 'canary-content-of-a-file',
};
const ISSUER = 'https://login.example';
const OPERATIONS = `mutation ($id: ID!, $imageRef: String!) {
  deletePack(id: $id) { __typename ...problem }
  createPackFromImage(imageRef: $imageRef) { __typename ...problem }
  createAgentRole(input: { name: "Not A Slug \\u0000", displayName: "x" }) { __typename ...problem }
}
fragment problem on Error { code message details }`;

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  // A TCP server that listens has an address with a port.
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** An OpenTelemetry collector that keeps the bytes it is sent. */
async function startCollector() {
  const received: string[] = [];
  const url = await listen(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    received.push(text);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  return { url, received };
}

/** Takes the uploads once; from then on it answers everything with an error that holds canaries. */
async function startRegistry() {
  const state = { broken: false };
  const image = packImage({ name: 'canary' });
  const registry = await startHostileRegistry(({ method, path, headers }) => {
    const { host, authorization } = headers;
    if (path.startsWith('/token')) {
      return { status: 200, body: JSON.stringify({ token: canary.registryToken }) };
    }
    const extra = { warning: canary.registryHeader, 'content-type': 'application/json' };
    if (authorization !== `Bearer ${canary.registryToken}`) {
      const realm = `Bearer realm="http://${host}/token",service="${canary.registryHeader}"`;
      return { status: 401, headers: { ...extra, 'www-authenticate': realm } };
    }
    if (state.broken) {
      const errors = [{ code: canary.registryBody, message: canary.registryBody, detail: path }];
      return { status: 500, headers: extra, body: JSON.stringify({ errors }) };
    }
    if (method === 'POST') return { status: 202, headers: { location: `${path}1` } };
    if (method === 'PUT') {
      return async (request, response) => {
        const digest = digestOf(await buffer(request));
        response.writeHead(201, { 'docker-content-digest': digest }).end();
      };
    }
    return { status: 404, headers: extra, body: image.manifest };
  });
  onTestFinished(() => registry.stop());
  return Object.assign(state, { url: registry.url });
}

async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }];
  const url = await listen((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  const sign = (audience: string) =>
    new SignJWT({ org_id: 'default', scope: 'caps:write audit:read' })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setSubject('user-1')
      .setExpirationTime('5m')
      .sign(privateKey);
  return { url, session: await sign('packs'), foreign: await sign('elsewhere') };
}

/** Sends everything that is of interest as each caller; answers what came back, headers and all. */
async function converse({ url }: ServerProcess, keys: readonly string[], id: string) {
  const heard: string[] = [];
  const send = async (key: string, method: string, path: string, json?: object) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const init = { method, headers, ...(json && { body: JSON.stringify(json) }) };
    const response = await fetch(`${url}${path}`, init);
    heard.push(JSON.stringify([...response.headers]), await response.text());
  };
  for (const key of keys) {
    const variables = { id, imageRef: 'team/x:v1' };
    await send(key, 'POST', '/graphql', { query: OPERATIONS, variables });
    await send(key, 'POST', '/graphql', { query: `{ pack(id: "${key}") { id } }` });
    await send(key, 'DELETE', `/v1/packs/${id}`);
    await send(key, 'POST', '/v1/packs', { image_ref: 'team/x:v1' });
    await send(key, 'GET', '/v1/audit');
  }
  for (const path of ['/metrics', '/readyz', '/healthz', '/v1/openapi.json']) {
    await send(OWNER_KEY, 'GET', path);
  }
  return heard.join('\n');
}

test('no key, session, registry token or registry body is in any answer, log line, metric or trace', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'canaries-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [registry, issuer, collector] = [
    await startRegistry(),
    await startIssuer(),
    await startCollector(),
  ];
  const server = await startServer({
    DATABASE_URL: await createDatabase(),
    DATA_DIR: directory,
    LOG_LEVEL: 'trace',
    REGISTRY_URL: registry.url.origin,
    REGISTRY_USERNAME: 'user',
    REGISTRY_PASSWORD: canary.registryPassword,
    REGISTRY_DEADLINE_MS: '500',
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: 'packs',
    JWKS_URL: issuer.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=canary-collector-key',
  });
  const body = new FormData();
  const archive = samplePack({ name: 'canary', files: { 'data/x': canary.file } });
  body.set('archive', new File([new Uint8Array(archive)], 'pack.tar.gz'));
  const headers = { authorization: `Bearer ${OWNER_KEY}` };
  const uploaded = await fetch(`${server.url}/v1/packs/upload`, { method: 'POST', headers, body });
  expect(uploaded.status).toBe(201);
  const { id } = await uploaded.json();
  const made =
    await server.graphql(`mutation { createApiKey(label: "x", permissionSet: FULL_ACCESS) {
    ... on CreatedApiKey { secret } } }`);
  const { secret } = made.data.createApiKey;
  registry.broken = true;
  const keys = [OWNER_KEY, secret, issuer.session, issuer.foreign, canary.wrongKey, 'nonsense'];
  const answers = await converse(server, keys, id);
  server.interrupt();
  expect(await server.exited).toBe(0);

  expect(answers).toContain('RegistryCleanupFailed');
  expect(answers).toContain('"unauthenticated"');
  expect(answers).toContain('pack_gateway_');
  const [logs, traces] = [JSON.stringify(server.logs), collector.received.join('\n')];
  expect(logs).toContain('registry call');
  expect(traces).toContain('registry GET manifest');
  const secrets = {
    ...canary,
    ownerKey: OWNER_KEY,
    madeKey: secret,
    signature: issuer.session.split('.')[2],
    foreignSignature: issuer.foreign.split('.')[2],
    basic: btoa(`user:${canary.registryPassword}`),
    databasePassword: 'postgres:postgres',
    collectorKey: 'canary-collector-key',
    directory,
  };
  for (const [where, text] of Object.entries({ answers, logs, traces })) {
    for (const [what, value] of Object.entries(secrets)) {
      expect(text.includes(value ?? ''), `${what} in ${where}`).toBe(false);
    }
  }
  for (const [where, text] of Object.entries({ answers, logs })) {
    expect(text, where).not.toMatch(/select .* from|insert into|update packs|role_packs/i);
    expect(text, where).not.toMatch(/\/(?:src|node_modules|tmp|home|root|var)\/|\.ts:\d+/);
  }
});
