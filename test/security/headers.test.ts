import { describe, expect, test } from 'vitest';
import { FAILURES_PER_ADDRESS } from '../../src/identity/failed-attempts.ts';
import { type GatewayOptions, startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY as KEY } from '../support/owner-key.ts';
import { rawRequest, sendRaw } from './raw-http.ts';

const QUERY = JSON.stringify({ query: '{ viewer { org { slug } } }' });
const JSON_TYPE = 'content-type: application/json';
const WRONG = `sk_${'x'.repeat(40)}`;

const start = async (options: GatewayOptions = {}) => {
  const gateway = await startGateway({ database: 'postgres', ...options });
  return { gateway, origin: await listening(gateway) };
};

/** The ways in: GraphQL as nearly everybody sends it, GraphQL in another form, and REST. */
const ways: Record<string, (headers: readonly string[], query?: string) => string> = {
  'GraphQL as JSON': (headers, query = '') =>
    rawRequest(`POST /graphql${query}`, [JSON_TYPE, ...headers], QUERY),
  'GraphQL by GET': (headers, query = '?') =>
    rawRequest(`GET /graphql${query}&query=${encodeURIComponent('{viewer{org{slug}}}')}`, headers),
  'GraphQL in chunks': (headers, query = '') =>
    `${rawRequest(`POST /graphql${query}`, [JSON_TYPE, 'transfer-encoding: chunked', ...headers])}${QUERY.length.toString(16)}\r\n${QUERY}\r\n0\r\n\r\n`,
  REST: (headers, query = '') => rawRequest(`GET /v1/packs${query}`, headers),
};

describe.each(Object.entries(ways))('who calls, by %s', (_name, request) => {
  test('is said by one Bearer header, and by nothing else', async () => {
    const { origin } = await start();
    const statusOf = async (headers: string[], query?: string) =>
      (await sendRaw(origin, request(headers, query))).status;
    for (const good of [
      `Authorization: Bearer ${KEY}`,
      `AUTHORIZATION: bearer ${KEY}`,
      `authorization:BEARER   ${KEY}  `,
    ]) {
      expect(await statusOf([good]), good).toBe(200);
    }
    const basic = (text: string) => `Basic ${btoa(text)}`;
    for (const value of [
      KEY,
      `Token ${KEY}`,
      `ApiKey ${KEY}`,
      basic(KEY),
      basic(`${KEY}:`),
      basic(`x:${KEY}`),
      `Bearer${KEY}`,
      `Bearer: ${KEY}`,
      `Bearer "${KEY}"`,
      `Bearer ${KEY},`,
      `Bearer ${KEY}, Bearer ${KEY}`,
      `Bearer ${WRONG}, Bearer ${KEY}`,
      `Basic x, Bearer ${KEY}`,
      `Bearer ${KEY} ${KEY}`,
      `Bearer token=${KEY}`,
      `Bearer ${encodeURIComponent('sk_')}%5F${KEY.slice(3)}`,
      `Bearer ${KEY.toUpperCase()}`,
      `Bearer ${KEY}\u00a0`,
    ]) {
      expect(await statusOf([`authorization: ${value}`]), value).toBe(401);
    }
    for (const elsewhere of [
      `cookie: authorization=Bearer ${KEY}; token=${KEY}; access_token=${KEY}; session=${KEY}`,
      `proxy-authorization: Bearer ${KEY}`,
      `x-authorization: Bearer ${KEY}`,
      `x-api-key: ${KEY}`,
      `x-forwarded-authorization: Bearer ${KEY}`,
      `x-forwarded-user: owner`,
      `connection: upgrade, authorization`,
    ]) {
      expect(await statusOf([elsewhere]), elsewhere).toBe(401);
    }
    const query = ['access_token', 'authorization', 'token', 'api_key', 'key'];
    expect(await statusOf([], `?${query.map((name) => `${name}=${KEY}`).join('&')}`)).toBe(401);
  });

  test('is nobody where two headers say it, whichever comes first', async () => {
    const { origin } = await start();
    const header = (key: string) => `authorization: Bearer ${key}`;
    for (const pair of [
      [header(KEY), header(WRONG)],
      [header(WRONG), header(KEY)],
      [header(KEY), header(KEY)],
      [header(KEY), 'authorization: Basic eDp5'],
      [header(KEY), 'authorization:'],
    ]) {
      expect((await sendRaw(origin, request(pair))).status, pair.join(' | ')).toBe(401);
    }
    expect((await sendRaw(origin, request([header(KEY)]))).status).toBe(200);
  });

  test('the request id is ours, whatever the client says it is', async () => {
    const { gateway, origin } = await start();
    const { headers, body } = await sendRaw(
      origin,
      request([
        `authorization: Bearer ${WRONG}`,
        'x-request-id: canary',
        'x-correlation-id: canary',
      ]),
    );
    const id = /^x-request-id: (\S+)$/im.exec(headers)?.[1];
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toContain(id);
    expect(headers + body).not.toContain('canary');
    const line = gateway.logs.find(({ requestId }) => requestId === id);
    expect(line?.clientRequestId).toBe('canary');
  });
});

test('an address is what the socket says, whatever a client puts in front of it', async () => {
  const { origin } = await start({ fresh: true });
  const ask = (at: number) =>
    fetch(`${origin}/v1/packs`, {
      headers: {
        authorization: `Bearer sk_${String(at).padStart(40, 'x')}`,
        'x-forwarded-for': `192.0.2.${at % 256}, 198.51.100.${at % 256}`,
        'x-real-ip': `192.0.2.${at % 256}`,
        forwarded: `for=192.0.2.${at % 256}`,
      },
    });
  for (let at = 0; at < FAILURES_PER_ADDRESS; at++) {
    const answer = await ask(at);
    await answer.arrayBuffer();
    expect(answer.status).toBe(401);
  }
  const limited = await ask(-1);
  expect([limited.status, (await limited.json()).error.code]).toEqual([429, 'rate_limited']);
});

test('a method is what the request line says', async () => {
  const { gateway, origin } = await start();
  const { id } = await gateway.pack('triage');
  const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];
  const headers = [`authorization: Bearer ${KEY}`, ...overrides.map((name) => `${name}: DELETE`)];
  for (const [line, status] of [
    [`GET /v1/packs/${id}`, 200],
    [`GET /v1/packs/${id}?_method=DELETE`, 400],
    [`POST /v1/packs/${id}`, 405],
    [`POST /v1/packs/${id}?_method=DELETE`, 405],
  ] as const) {
    const answer = await sendRaw(
      origin,
      rawRequest(line, headers, line.startsWith('POST') ? '' : null),
    );
    expect(answer.status, line).toBe(status);
  }
  expect((await gateway.rest('GET', `/v1/packs/${id}`)).body.status).toBe('active');
});

test('a host header decides nothing and is repeated nowhere', async () => {
  const { gateway, origin } = await start();
  const auth = `authorization: Bearer ${KEY}`;
  const hosts = [
    'evil.example',
    'evil.example:80@gateway',
    'gateway/v1/packs?',
    'gateway\\evil.example',
    'evil.example#',
    '[::1]evil.example',
    '[evil.example',
    '',
    ' ',
    'evil example',
    '%00evil.example',
    'evil.example:99999',
    'é.evil.example',
    'x'.repeat(5_000),
  ];
  for (const host of hosts) {
    for (const line of [
      'GET /v1/packs/evil',
      'POST /graphql',
      'GET http://evil.example/v1/nothing',
    ]) {
      const headers = [auth, JSON_TYPE, 'x-forwarded-host: evil.example'];
      const bytes = rawRequest(line, headers, line.startsWith('POST') ? QUERY : null);
      const shown = `${line} ${host.slice(0, 40)}`;
      const answer = await sendRaw(origin, bytes.replace('host: gateway', `host: ${host}`));
      expect(answer.status, shown).toBeOneOf([200, 400, 404]);
      expect(answer.headers + answer.body, shown).not.toMatch(/evil\.example|x{50}/);
    }
  }
  const two = rawRequest('GET /v1/packs', [auth, 'host: evil.example']);
  expect((await sendRaw(origin, two)).status).toBeOneOf([200, 400]);
  const none = rawRequest('GET /v1/packs', [auth]).replace('host: gateway\r\n', '');
  expect((await sendRaw(origin, none)).status).toBe(400);
  expect(gateway.logs.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a request whose length can be read in two ways is read in neither', async () => {
  const { gateway, origin } = await start();
  const smuggled = rawRequest('DELETE /v1/packs/x', [`authorization: Bearer ${KEY}`]);
  const auth = [`authorization: Bearer ${KEY}`, JSON_TYPE];
  gateway.statements.length = 0;
  const lengths: readonly (readonly string[])[] = [
    [`content-length: ${smuggled.length + 5}`, 'transfer-encoding: chunked'],
    ['transfer-encoding: chunked', `content-length: ${smuggled.length + 5}`],
    ['transfer-encoding: xchunked', 'content-length: 5'],
    ['transfer-encoding: chunked, identity', 'content-length: 5'],
    ['transfer-encoding: identity', 'transfer-encoding: chunked', 'content-length: 5'],
    ['content-length: 5', `content-length: ${smuggled.length + 5}`],
    ['content-length: 5, 5'],
    ['content-length: +5'],
    ['content-length: -5'],
    ['content-length: 0x5'],
    ['content-length : 5'],
    ['content-length: 5 5'],
    ['content-length: 99999999999999999999'],
    ['transfer-encoding\t: chunked'],
    ['x: y\r\n transfer-encoding: chunked', 'transfer-encoding : chunked'],
  ];
  for (const path of ['/graphql', '/v1/packs']) {
    for (const headers of lengths) {
      const bytes = `${rawRequest(`POST ${path}`, [...auth, ...headers])}0\r\n\r\n${smuggled}`;
      const answer = await sendRaw(origin, bytes.replace('connection: close\r\n', ''));
      expect(answer, headers.join(' | ')).toMatchObject({ status: 400, answers: 1 });
    }
  }
  expect(gateway.statements).toEqual([]);
});

test('headers that are too long are refused, and the server goes on', async () => {
  const { origin } = await start();
  const auth = `authorization: Bearer ${KEY}`;
  for (const headers of [
    [`x: ${'y'.repeat(100_000)}`],
    [`authorization: Bearer ${'y'.repeat(100_000)}`],
    Array.from({ length: 5_000 }, (_, at) => `x-${at}: y`),
  ]) {
    const { status } = await sendRaw(origin, rawRequest('GET /v1/packs', [...headers, auth]));
    expect(status).toBeOneOf([431, 401]);
  }
  const split = `GET /v1/packs HTTP/1.1\r\nhost: gateway\r\n${auth}\r\nx: a\0b\r\n\r\n`;
  expect((await sendRaw(origin, split)).status).toBe(400);
  expect((await sendRaw(origin, rawRequest('GET /v1/packs', [auth]))).status).toBe(200);
});
