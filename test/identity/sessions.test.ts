import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { FAILURES_PER_TOKEN } from '../../src/identity/failed-attempts.ts';
import { change, events } from '../packs/changes.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const ISSUER = 'https://login.example';
const AUDIENCE = 'pack-gateway';
const VIEWER = '{ viewer { userId scopes org { id slug } apiKey { id } } }';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let first: Pair;
let second: Pair;
let elliptic: Pair;
beforeAll(async () => {
  first = await generateKeyPair('RS256');
  second = await generateKeyPair('RS256');
  elliptic = await generateKeyPair('ES256');
});

/** An issuer's key endpoint; `keys` may change while it runs, and it can be down. */
async function startIssuer() {
  const issuer = {
    keys: [{ kid: 'first', alg: 'RS256', pair: first }],
    asked: 0,
    down: false,
    /** Sent in front of the keys, as they are. */
    others: [] as unknown[],
    /** Sent instead of the keys. */
    page: null as string | null,
  };
  const server: Server = createServer(async (_request, response) => {
    issuer.asked += 1;
    if (issuer.down) return response.writeHead(503).end();
    if (issuer.page !== null) return response.end(issuer.page);
    const keys = issuer.keys.map(async ({ kid, alg, pair }) => ({
      ...(await exportJWK(pair.publicKey)),
      kid,
      alg,
    }));
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ keys: [...issuer.others, ...(await Promise.all(keys))] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const environment = {
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    JWKS_URL: `http://127.0.0.1:${port}/jwks.json`,
  };
  return { issuer, gateway: await startGateway({ environment }) };
}

interface TokenOptions {
  readonly pair?: Pair;
  readonly header?: { alg: string; kid?: string };
  readonly expires?: number | null;
}

const now = () => Math.floor(Date.now() / 1_000);

function token(claims: JWTPayload = {}, options: TokenOptions = {}): Promise<string> {
  const { pair = first, header = { alg: 'RS256', kid: 'first' }, expires = now() + 60 } = options;
  const all = { iss: ISSUER, aud: AUDIENCE, sub: 'user-1', org_id: 'default', ...claims };
  const jwt = new SignJWT(expires === null ? all : { ...all, exp: expires });
  return jwt.setProtectedHeader(header).sign(pair.privateKey);
}

const codeFor = async (gateway: Gateway, key: string): Promise<string> =>
  (await gateway.graphql(VIEWER, {}, key)).errors?.[0].extensions.code ?? 'OK';

describe('session tokens', () => {
  test('the caller is the user in the org, with the scopes that we know', async () => {
    const { gateway } = await startIssuer();
    const scope = 'caps:write openid admin apikeys:write';
    const { data } = await gateway.graphql(VIEWER, {}, await token({ scope }));
    expect(data.viewer).toMatchObject({
      userId: 'user-1',
      scopes: ['caps:write', 'apikeys:write'],
      org: { slug: 'default' },
      apiKey: null,
    });
    const byId = await token({ org_id: data.viewer.org.id, permissions: ['audit:read', 'x'] });
    const second = await gateway.graphql(VIEWER, {}, byId);
    expect(second.data.viewer).toMatchObject({ scopes: ['audit:read'], org: data.viewer.org });
    const session = await token({ scope: 'caps:write audit:read' });
    await change(gateway, 'createAgentRole', { input: { name: 'agent' } }, session);
    expect(await events(gateway, session)).toMatchObject([{ actor: 'user-1' }]);
  });

  test('a token that is not exactly right is refused', async () => {
    const { gateway } = await startIssuer();
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'u', org_id: 'default', exp: now() + 60 };
    const shared = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' });
    const jwk = await exportJWK(first.publicKey);
    const bad = {
      'another issuer': await token({ iss: 'https://evil.example' }),
      'another audience': await token({ aud: 'other' }),
      expired: await token({}, { expires: now() - 60 }),
      'without an end': await token({}, { expires: null }),
      'not valid yet': await token({ nbf: now() + 120 }),
      'without a subject': await token({ sub: '' }),
      'a subject like a key': await token({ sub: 'key_1' }),
      'a subject like the service itself': await token({ sub: 'operator' }),
      'a subject that cannot be stored': await token({ sub: 'a\0b' }),
      'an unknown org': await token({ org_id: 'nowhere' }),
      'an org with NUL': await token({ org_id: 'a\0b' }),
      'without an org': await token({ org_id: undefined }),
      'scopes of the wrong type': await token({ scope: 7 as never }),
      'signed by another key': await token({}, { pair: second }),
      'an unknown key': await token({}, { header: { alg: 'RS256', kid: 'made-up' } }),
      unsigned: `${encode({ alg: 'none' })}.${encode(claims)}.`,
      'signed with the public key as a secret': await shared.sign(Buffer.from(String(jwk.n))),
      'no token': 'a.b.c',
    };
    for (const [what, key] of Object.entries(bad)) {
      expect(await codeFor(gateway, key), what).toBe('UNAUTHENTICATED');
    }
    expect(await codeFor(gateway, await token({}, { expires: now() - 5 }))).toBe('OK');
    expect((await gateway.rest('GET', '/v1/packs', { key: 'a.b.c' })).status).toBe(401);
  });

  test('new keys are fetched when they are needed, but made-up ones cause no flood', async () => {
    const { issuer, gateway } = await startIssuer();
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    expect(await codeFor(gateway, await token())).toBe('OK');
    issuer.keys.push({ kid: 'second', alg: 'ES256', pair: elliptic });
    const rotated = { pair: elliptic, header: { alg: 'ES256', kid: 'second' } };
    vi.setSystemTime(Date.now() + 11_000);
    expect(await codeFor(gateway, await token({}, rotated))).toBe('OK');
    expect(issuer.asked).toBe(2);
    for (let i = 0; i < 5; i++) {
      const header = { alg: 'RS256', kid: `made-up-${i}` };
      expect(await codeFor(gateway, await token({}, { header }))).toBe('UNAUTHENTICATED');
    }
    expect(issuer.asked).toBe(2);
    issuer.keys.shift();
    vi.setSystemTime(Date.now() + 601_000);
    expect(await codeFor(gateway, await token())).toBe('UNAUTHENTICATED');
  });

  test('while the keys cannot be had it is an outage, not a bad token; API keys still work', async () => {
    const { issuer, gateway } = await startIssuer();
    issuer.down = true;
    const key = await token();
    expect(await codeFor(gateway, key)).toBe('SERVICE_UNAVAILABLE');
    const rest = await gateway.rest('GET', '/v1/packs', { key });
    expect([rest.status, rest.body.error.code]).toEqual([503, 'service_unavailable']);
    expect((await gateway.graphql(VIEWER)).data.viewer.userId).toBeNull();
    issuer.down = false;
    expect(await codeFor(gateway, key)).toBe('OK');
  });

  test('keys that cannot be used are passed over, told of once, and their tokens are not valid', async () => {
    const { issuer, gateway } = await startIssuer();
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const small: JWK = publicKey.export({ format: 'jwk' });
    const good = await exportJWK(second.publicKey);
    issuer.others = [
      { ...small, use: 'sig' },
      { ...small, kid: 'small', alg: 'RS256' },
      { kty: 'RSA', kid: 'no-modulus', e: 'AQAB' },
      { ...small, kid: 'for-encryption', use: 'enc' },
      { kty: 'oct', kid: 'of-another-kind', k: 'AAAA' },
      { ...small, kid: 'twice' },
      { ...good, kid: 'twice' },
      null,
      good,
    ];
    const told = () => gateway.logs.filter(({ msg }) => /^keys at JWKS_URL/.test(msg));
    for (const kid of [undefined, 'unlisted', 'twice']) {
      const header = { alg: 'RS256', ...(kid !== undefined && { kid }) };
      expect(await codeFor(gateway, await token({}, { pair: second, header })), kid).toBe('OK');
    }
    expect(await codeFor(gateway, await token())).toBe('OK');
    for (const kid of ['small', 'no-modulus']) {
      const forged = await token({}, { header: { alg: 'RS256', kid } });
      expect(await codeFor(gateway, forged), kid).toBe('UNAUTHENTICATED');
    }
    vi.setSystemTime(Date.now() + 601_000);
    expect(await codeFor(gateway, await token())).toBe('OK');
    expect(issuer.asked).toBeGreaterThan(1);
    const tooSmall = expect.stringContaining('2048');
    expect(told()).toMatchObject([
      {
        level: 'warn',
        keys: [
          { kid: null, place: 1, reason: tooSmall },
          { kid: 'small', place: 2, reason: tooSmall },
          { kid: 'no-modulus', place: 3 },
          { kid: 'twice', place: 6, reason: tooSmall },
          { kid: null, place: 8 },
        ],
      },
    ]);
  });

  test('tokens that name a key which cannot be used are counted as failed', async () => {
    const { issuer, gateway } = await startIssuer();
    issuer.others = [{ kty: 'RSA', kid: 'no-modulus', e: 'AQAB' }];
    const forged = await token({}, { header: { alg: 'RS256', kid: 'no-modulus' } });
    for (let i = 0; i < FAILURES_PER_TOKEN; i++) {
      expect(await codeFor(gateway, forged)).toBe('UNAUTHENTICATED');
    }
    expect(await codeFor(gateway, forged)).toBe('RATE_LIMITED');
  });

  test('the operator is told why a signed token was refused, once for many, and nothing of what anybody can make up', async () => {
    const { gateway } = await startIssuer();
    const told = () =>
      gateway.logs.filter(({ level, msg }) => level !== 'debug' && /session token/.test(msg));
    const refused = {
      iss: await token({ iss: `${ISSUER}/` }),
      aud: await token({ aud: 'other' }),
      nbf: await token({ nbf: now() + 120 }),
      org_id: await token({ org_id: 'nowhere' }),
      scope: await token({ scope: 7 as never }),
    };
    for (const [claim, key] of Object.entries(refused)) {
      gateway.logs.length = 0;
      for (let i = 0; i < 3; i++) expect(await codeFor(gateway, key)).toBe('UNAUTHENTICATED');
      expect(told(), claim).toMatchObject([{ level: 'warn', claims: [claim] }]);
      expect(JSON.stringify(told())).not.toContain(key.split('.')[1]);
    }
    gateway.logs.length = 0;
    await codeFor(gateway, await token({}, { header: { alg: 'RS256', kid: 'made-up' } }));
    expect(told()).toMatchObject([{ msg: expect.stringContaining('JWKS_URL') }]);
    gateway.logs.length = 0;
    await codeFor(gateway, await token({}, { pair: second }));
    await codeFor(gateway, 'a.b.c');
    expect(told()).toEqual([]);
  });

  test('the operator is told once why the keys cannot be had, and again after they were had', async () => {
    const { issuer, gateway } = await startIssuer();
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const told = () => gateway.logs.filter(({ msg }) => /keys of JWKS_URL/.test(msg));
    const askAll = async (code: string) => {
      vi.setSystemTime(Date.now() + 601_000);
      gateway.logs.length = 0;
      for (let i = 0; i < 3; i++) expect(await codeFor(gateway, await token())).toBe(code);
    };
    issuer.down = true;
    await askAll('SERVICE_UNAVAILABLE');
    expect(told()).toMatchObject([{ level: 'warn', err: { message: expect.any(String) } }]);
    issuer.down = false;
    await askAll('OK');
    expect(told()).toEqual([]);
    issuer.page = '<html>';
    await askAll('SERVICE_UNAVAILABLE');
    expect(told()).toMatchObject([{ cause: expect.stringContaining('JSON') }]);
  });

  test('without configuration a token is nobody', async () => {
    const gateway = await startGateway();
    expect(await codeFor(gateway, await token())).toBe('UNAUTHENTICATED');
  });
});
