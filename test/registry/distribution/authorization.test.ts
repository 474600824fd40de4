import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/registry/distribution/challenge.ts';
import {
  createDistributionRegistry,
  type DistributionOptions,
} from '../../../src/registry/distribution/distribution-registry.ts';
import { credentials, startDockerRegistry } from '../../support/docker-registry.ts';
import {
  registryError,
  type Script,
  type ScriptedAnswer,
  startHostileRegistry,
} from '../../support/hostile-registry.ts';
import { installed } from '../../support/installed.ts';
import { imageOf, repository, tag } from './images.ts';

const name = repository('packs/acme/guarded');
const image = imageOf('guarded');
const { digest } = image.descriptor;
const unauthorized = { kind: 'failed', reason: 'UNAUTHORIZED', retryable: false };

let open: { stop(): Promise<void> }[] = [];
beforeEach(() => {
  open = [];
});
afterEach(async () => {
  for (const thing of open) await thing.stop();
});
function connect(url: URL, options: Partial<DistributionOptions> = {}) {
  const registry = createDistributionRegistry({
    url,
    deadlineMs: 3_000,
    ...credentials,
    ...options,
  });
  open.unshift({ stop: () => registry.close() });
  return registry;
}
async function script(answers: Script) {
  const hostile = await startHostileRegistry(answers);
  open.push(hostile);
  return hostile;
}
async function docker(auth: 'basic' | 'token') {
  const started = await startDockerRegistry({ auth });
  open.push(started);
  return started;
}

describe.skipIf(!installed('docker-registry'))('Basic, with docker-registry', () => {
  it('the right password pushes and purges', async () => {
    const registry = connect((await docker('basic')).url);
    expect(await registry.check()).toEqual({ kind: 'ok' });
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
  });

  it('a wrong password, or none, is unauthorized', async () => {
    const { url } = await docker('basic');
    const wrong = connect(url, { password: 'wrong-password' });
    expect(await wrong.check()).toMatchObject(unauthorized);
    const outcome = await wrong.purge(name, digest);
    expect(outcome).toMatchObject(unauthorized);
    expect(JSON.stringify(outcome)).not.toContain('wrong-password');
    const none = createDistributionRegistry({ url, deadlineMs: 3_000 });
    open.unshift({ stop: () => none.close() });
    expect(await none.purge(name, digest)).toMatchObject(unauthorized);
  });
});

describe.skipIf(!installed('docker-registry')).each(['basic', 'token'] as const)(
  'what is told of calls, with docker-registry and %s',
  (auth) => {
    it('a challenge is no failure, the refusal of what answers it is one', async () => {
      const { url } = await docker(auth);
      const outcomes: string[] = [];
      const onCall = ({ outcome }: { outcome: string }) => void outcomes.push(outcome);
      await connect(url, { onCall }).push(name, tag('v1'), image);
      expect(outcomes).toContain('ok');
      expect(outcomes).not.toContain('UNAUTHORIZED');
      await connect(url, { onCall, password: 'wrong' }).purge(name, digest);
      expect(outcomes.filter((outcome) => outcome === 'UNAUTHORIZED')).toHaveLength(1);
    });
  },
);

describe.skipIf(!installed('docker-registry'))('Bearer, with docker-registry', () => {
  it('a copy within the registry has a token for both repositories, so that no blob travels', async () => {
    const { url, tokens } = await docker('token');
    const operations: string[] = [];
    const registry = connect(url, { onCall: ({ operation }) => operations.push(operation) });
    await registry.push(name, tag('v1'), image);
    operations.length = 0;
    const to = repository('packs/acme/copy');
    const copied = await registry.copyImage({ repository: name }, digest, to, tag('v1'));
    expect(copied).toEqual({ kind: 'copied' });
    expect(operations).not.toContain('PUT blob');
    expect(tokens?.asked).toContain(`repository:${to}:pull,push repository:${name}:pull`);
  });

  it('one token serves a whole purge, and the next one', async () => {
    const { url, tokens } = await docker('token');
    const registry = connect(url);
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    tokens?.asked.splice(0);
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    expect(await registry.purge(name, digest)).toEqual({ kind: 'already_gone' });
    expect(tokens?.asked).toEqual([`repository:${name}:pull,delete`]);
  });

  it('an account that may not delete is unauthorized, after fresh tokens for all and for less', async () => {
    const { url, tokens } = await docker('token');
    const registry = connect(url);
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    tokens?.allowed.splice(0, 3, 'pull');
    tokens?.asked.splice(0);
    expect(await registry.purge(name, digest)).toMatchObject({
      ...unauthorized,
      detail: expect.stringContaining('the right to delete in this repository'),
    });
    expect(tokens?.asked.length).toBeLessThanOrEqual(3);
    expect(await registry.readManifest(name, tag('v1'))).toMatchObject({ kind: 'found' });
  });

  it('the token service refusing the password is permanent, being down is not', async () => {
    const { url, tokens } = await docker('token');
    expect(await connect(url, { password: 'wrong' }).purge(name, digest)).toMatchObject(
      unauthorized,
    );
    if (tokens) tokens.broken = 503;
    expect(await connect(url).purge(name, digest)).toMatchObject({
      reason: 'REGISTRY_ERROR',
      retryable: true,
    });
    await tokens?.stop();
    expect(await connect(url).purge(name, digest)).toMatchObject({
      reason: 'UNREACHABLE',
      retryable: true,
    });
  });
});

describe('Bearer, with hostile answers', () => {
  /** Registry and token service in one; `accepts` says which token the registry takes. */
  function guarded(accepts: (token: string, issued: number) => boolean, realm?: string): Script {
    let issued = 0;
    return ({ method, path, headers }) => {
      if (path.startsWith('/token')) {
        const body = JSON.stringify({ access_token: `t${++issued}`, expires_in: 300 });
        return { status: 200, body };
      }
      if (!accepts(headers.authorization?.replace('Bearer ', '') ?? '', issued)) {
        const at = realm ?? `http://${headers.host}/token`;
        const challenge = `Bearer realm="${at}",service="s",scope="repository:${name}:delete",error="invalid_token"`;
        return { status: 401, headers: { 'www-authenticate': challenge } };
      }
      if (method === 'DELETE') return { status: 202 };
      if (path.includes('/tags/list')) return { status: 200, body: '{"tags":[]}' };
      if (path.includes('/referrers/')) return { status: 404, body: 'no' };
      return { status: 200, body: image.manifest };
    };
  }
  const tokensAsked = (seen: readonly { path: string }[]) =>
    seen.filter(({ path }) => path.startsWith('/token')).length;

  it('an expired token is renewed once, for all requests that met it', async () => {
    let first = 't1';
    const hostile = await script(guarded((token) => token !== '' && token >= first));
    const registry = connect(hostile.url);
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    expect(tokensAsked(hostile.seen)).toBe(1);
    first = 't2';
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    expect(tokensAsked(hostile.seen)).toBe(2);
  });

  it.each([
    ['names what this request needs', (action: string) => `,scope="repository:${name}:${action}"`],
    ['always names pull', () => `,scope="repository:${name}:pull"`],
    ['names no scope', () => ''],
  ])(
    'a token that is refused early, by a challenge that %s, is renewed for all',
    async (_, scope) => {
      let key = 1;
      const hostile = await script(({ method, path, headers }) => {
        if (path.startsWith('/token')) {
          const asked = new URL(path, 'http://registry').searchParams.get('scope');
          const token = `${key}:${asked?.split(':').at(-1)}`;
          return { status: 200, body: JSON.stringify({ token, expires_in: 300 }) };
        }
        const [signed, actions = ''] =
          headers.authorization?.replace('Bearer ', '').split(':') ?? [];
        const needed = method === 'DELETE' ? 'delete' : 'pull';
        if (signed !== `${key}` || !actions.split(',').includes(needed)) {
          const challenge = `Bearer realm="/token",service="s"${scope(needed)}`;
          return { status: 401, headers: { 'www-authenticate': challenge } };
        }
        if (method === 'DELETE') return { status: 202 };
        if (path.includes('/tags/list')) return { status: 200, body: '{"tags":[]}' };
        if (path.includes('/referrers/')) return registryError(404, 'UNSUPPORTED');
        return { status: 200, body: image.manifest };
      });
      const registry = connect(hostile.url);
      for (key = 1; key <= 3; key++) {
        expect(await registry.foreseePurge(name, digest)).toEqual({ kind: 'purged' });
        const before = tokensAsked(hostile.seen);
        expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
        expect(tokensAsked(hostile.seen)).toBe(before);
      }
      key = 5;
      expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    },
  );

  it('a registry that accepts no token is asked twice, not for ever', async () => {
    const hostile = await script(guarded(() => false));
    expect(await connect(hostile.url).check()).toMatchObject(unauthorized);
    expect(hostile.seen.filter(({ path }) => path === '/v2/')).toHaveLength(2);
  });

  it('a token realm on another host is not contacted, unless it is configured', async () => {
    const accepts = (token: string) => token !== '';
    const service = await script(guarded(accepts));
    const foreign = `http://localhost:${service.url.port}/token`;
    const hostile = await script(guarded(accepts, foreign));
    expect(await connect(hostile.url).purge(name, digest)).toMatchObject(unauthorized);
    expect(service.seen).toHaveLength(0);
    expect(hostile.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    const configured = connect(hostile.url, {
      tokens: {
        hosts: [`localhost:${service.url.port}`],
        otherPorts: true,
        variable: 'REGISTRY_TOKEN_HOSTS',
      },
    });
    const [reached] = await Promise.all([configured.purge(name, digest)]);
    // `localhost` may be IPv6 alone on some machines; what counts is that it is tried.
    expect(reached).not.toMatchObject({ reason: 'UNAUTHORIZED' });
  });

  it.each([['ftp://127.0.0.1/token'], ['not a url'], ['']])(
    'a realm %j is refused',
    async (realm) => {
      const hostile = await script(guarded(() => false, realm));
      expect(await connect(hostile.url).check()).toMatchObject(unauthorized);
      expect(hostile.seen).toHaveLength(1);
    },
  );

  it.each([['<html>'], ['{}'], ['{"token":"a\\nb"}'], ['{"token":']])(
    'a token answer %j is a failure that may pass',
    async (body) => {
      const inner = guarded(() => false);
      const hostile = await script((request, number) =>
        request.path.startsWith('/token') ? { status: 200, body } : inner(request, number),
      );
      expect(await connect(hostile.url).check()).toMatchObject({
        reason: 'REGISTRY_ERROR',
        retryable: true,
      });
    },
  );
});

describe('a registry that hides from strangers what it has', () => {
  const hiding =
    (answer: ScriptedAnswer, hidesBase: boolean): Script =>
    ({ method, path, headers }) => {
      if (headers.authorization?.startsWith('Basic ') !== true) {
        return path === '/v2/' && !hidesBase ? { status: 200, body: '{}' } : answer;
      }
      if (method === 'DELETE') return { status: 202 };
      if (path.includes('/tags/list')) return { status: 200, body: '{"tags":[]}' };
      if (path.includes('/referrers/')) return { status: 404, body: 'no' };
      return { status: 200, body: image.manifest };
    };

  it.each<[string, ScriptedAnswer]>([
    ['404 NAME_UNKNOWN', registryError(404, 'NAME_UNKNOWN')],
    ['404 MANIFEST_UNKNOWN', registryError(404, 'MANIFEST_UNKNOWN')],
    ['403 DENIED', registryError(403, 'DENIED')],
    ['401 without a challenge', registryError(401, 'UNAUTHORIZED')],
    ['a redirect to where people sign in', { status: 302, headers: { location: '/login' } }],
    [
      'a page to sign in',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in' },
    ],
    ['an empty list', { status: 200, body: '{"tags":[],"repositories":[]}' }],
  ])('with %s: the credentials are sent before that is believed', async (_, answer) => {
    for (const hidesBase of [false, true]) {
      const hostile = await script(hiding(answer, hidesBase));
      expect(await connect(hostile.url).purge(name, digest)).toEqual({ kind: 'purged' });
      const reader = connect(hostile.url);
      if (answer.status !== 200) {
        expect(await reader.readManifest(name, digest)).toMatchObject({ kind: 'found' });
      }
      expect(await connect(hostile.url).check()).toEqual({ kind: 'ok' });
    }
  });

  it('is asked without them no more, once that is known', async () => {
    const hostile = await script(hiding(registryError(404, 'NAME_UNKNOWN'), false));
    const registry = connect(hostile.url);
    await registry.readManifest(name, digest);
    const before = hostile.seen.length;
    await registry.readManifest(name, digest);
    expect(hostile.seen.slice(before).every(({ headers }) => headers.authorization)).toBe(true);
    expect(hostile.seen.length).toBe(before + 1);
  });

  it('where none are configured the answer stands', async () => {
    const hostile = await script(hiding(registryError(404, 'NAME_UNKNOWN'), false));
    const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 3_000 });
    open.unshift({ stop: () => registry.close() });
    expect(await registry.readManifest(name, digest)).toEqual({ kind: 'missing' });
    expect(hostile.seen).toHaveLength(1);
  });
});

describe('a token service elsewhere', () => {
  const challenged =
    (realm: string): Script =>
    () => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${realm}",service="s"` },
    });

  it('is named in the refusal, with the variable that would allow it', async () => {
    const hostile = await script(challenged('http://user:secret@gitlab.internal:8081/jwt/auth'));
    const outcome = await connect(hostile.url).readManifest(name, digest);
    expect(outcome).toMatchObject({
      ...unauthorized,
      detail: expect.stringMatching(/gitlab\.internal:8081.*REGISTRY_TOKEN_HOSTS/),
    });
    expect(JSON.stringify(outcome)).not.toContain('secret');
  });

  it('is allowed with its default port or without', async () => {
    for (const host of ['auth.invalid', 'auth.invalid:80']) {
      const hostile = await script(challenged('http://auth.invalid/token'));
      const tokens = { hosts: [host], otherPorts: true, variable: 'REGISTRY_TOKEN_HOSTS' };
      const outcome = await connect(hostile.url, { tokens }).readManifest(name, digest);
      expect(outcome).toMatchObject({ reason: 'UNREACHABLE' });
    }
  });
});

describe('WWW-Authenticate', () => {
  it.each([
    ['Basic realm="a, b"', [{ scheme: 'basic', parameters: { realm: 'a, b' } }]],
    [
      'Bearer realm="https://a/t",service=s , Scope="r:n:pull,push"',
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://a/t', service: 's', scope: 'r:n:pull,push' },
        },
      ],
    ],
    [
      'Negotiate, Basic realm="q\\"q"',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'q"q' } },
      ],
    ],
    ['', []],
    ['=?', []],
  ])('%s', (header, challenges) => {
    expect(parseChallenges(header)).toEqual(challenges);
  });

  it('a long hostile header is read in no time', () => {
    // So long that work which grows with its square would never end.
    const MANY = 500_000;
    expect(parseChallenges(`Bearer ${'a="\\'.repeat(MANY)}`)).toHaveLength(1);
    expect(parseChallenges('a '.repeat(MANY))).toHaveLength(MANY);
  });
});
