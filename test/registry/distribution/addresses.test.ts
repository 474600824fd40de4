/** Where registries say that something is: uploads, pages, redirects. All of it imitated. */
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createDistributionRegistry,
  type DistributionOptions,
} from '../../../src/registry/distribution/distribution-registry.ts';
import { credentials } from '../../support/docker-registry.ts';
import { type Script, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, repository, tag } from './images.ts';

const name = repository('packs/acme/moved');
const image = imageOf('moved');
const { digest } = image.descriptor;
const v1 = tag('v1');

async function connect(script: Script, options: Partial<DistributionOptions> = {}) {
  const hostile = await startHostileRegistry(script);
  const registry = createDistributionRegistry({
    url: hostile.url,
    deadlineMs: 3_000,
    ...options,
  });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  return { registry, seen: hostile.seen, url: hostile.url };
}

describe('an upload goes on', () => {
  const stored = (path: string) => ({
    status: 201,
    ...(path.includes('/manifests/') && {
      headers: { 'docker-content-digest': image.descriptor.digest },
    }),
  });
  const uploads = `/v2/${name}/blobs/uploads`;
  /** The paths that blobs were sent to, each without its digest. */
  async function sentTo(location: string): Promise<{ outcome: object; puts: Set<string> }> {
    const { registry, seen } = await connect(({ method, path }) => {
      if (method === 'HEAD') return { status: 404 };
      return method === 'POST' ? { status: 202, headers: { location } } : stored(path);
    });
    const outcome = await registry.push(name, v1, image);
    const puts = seen.filter(({ method, path }) => method === 'PUT' && path.includes('digest='));
    return { outcome, puts: new Set(puts.map(({ path }) => path.replace(/digest=.*$/, ''))) };
  }

  it.each([
    ['relative to what was asked', '7f3c?_state=a', `${uploads}/7f3c?_state=a&`],
    ['relative, one up', '../7f3c', `/v2/${name}/blobs/7f3c?`],
    ['a path', '/upload/7f3c', '/upload/7f3c?'],
    ['a query that may be signed', '/u?a=1%2b2&t=~x%20y&b&s=a+b', '/u?a=1%2b2&t=~x%20y&b&s=a+b&'],
    ['a query without anything in it', '/u?', '/u?'],
    ['a fragment', '/u?a=b#c', '/u?a=b&'],
    ['another port', `http://127.0.0.1:9${uploads}/1`, `${uploads}/1?`],
    ['no port, by a proxy that passes none on', `http://127.0.0.1${uploads}/1`, `${uploads}/1?`],
    ['TLS that is not there', `https://127.0.0.1${uploads}/1?s=a`, `${uploads}/1?s=a&`],
    ['an internal name', `http://registry.internal:5000${uploads}/1`, `${uploads}/1?`],
    ['a name in upper case', `HTTP://REGISTRY.INTERNAL${uploads}/1`, `${uploads}/1?`],
    ['credentials in it', `http://a:b@127.0.0.1${uploads}/1`, `${uploads}/1?`],
  ])('at the registry: %s', async (_, location, path) => {
    const { outcome, puts } = await sentTo(location);
    expect(outcome).toEqual({ kind: 'pushed' });
    expect([...puts]).toEqual([path]);
  });

  it.each([
    ['another host', 'http://elsewhere.invalid/upload'],
    ['another host, without a scheme', '//elsewhere.invalid/upload'],
    ['another scheme', `ftp://127.0.0.1${uploads}/1`],
    ['no hierarchy', 'mailto:/v2/a'],
  ])('nowhere else: %s', async (_, location) => {
    const { outcome, puts } = await sentTo(location);
    expect(outcome).toMatchObject({ kind: 'failed', retryable: false });
    expect([...puts]).toEqual([]);
  });

  it('at the registry, though the path looks like another host', async () => {
    const { outcome, puts } = await sentTo('http://127.0.0.1//elsewhere.invalid/v2/1');
    expect(outcome).toMatchObject({ kind: 'failed' });
    expect([...puts]).toEqual([]);
  });

  it('relative to where a redirect led', async () => {
    const { registry, seen } = await connect(({ method, path }) => {
      if (method === 'HEAD') return { status: 404 };
      if (method !== 'POST') return stored(path);
      return path.startsWith('/moved/')
        ? { status: 202, headers: { location: 'session' } }
        : { status: 307, headers: { location: '/moved/uploads/' } };
    });
    expect(await registry.push(name, v1, image)).toEqual({ kind: 'pushed' });
    expect(seen.some(({ path }) => path.startsWith('/moved/uploads/session?digest='))).toBe(true);
  });
});

describe('a list goes on', () => {
  const listing =
    (link: string): Script =>
    ({ method, path }) => {
      if (path.endsWith('/tags/list?last=v1')) return { status: 200, body: '{"tags":["v2"]}' };
      if (path.includes('/tags/list')) {
        return { status: 200, headers: { link }, body: '{"tags":["v1"]}' };
      }
      if (path.includes('/referrers/')) return { status: 404, body: 'no' };
      return method === 'DELETE' ? { status: 202 } : { status: 200, body: image.manifest };
    };

  it.each([
    ['a query alone', '<?last=v1>; rel="next"'],
    ['relative to the list', '<list?last=v1>;rel=next'],
    [
      'an internal name with another port',
      `<http://a.internal:5000/v2/${name}/tags/list?last=v1>; rel="next"`,
    ],
  ])('at the registry: %s', async (_, link) => {
    const { registry, seen } = await connect(listing(link));
    await registry.foreseePurge(name, digest);
    expect(seen.some(({ path }) => path === `/v2/${name}/tags/list?last=v1`)).toBe(true);
    expect(seen.some(({ path }) => path.endsWith('/manifests/v2'))).toBe(true);
  });

  it('at the registry, though the path looks like another host', async () => {
    const other = await connect(() => ({ status: 200, body: '{"tags":[]}' }));
    const { registry } = await connect(
      listing(`<http://127.0.0.1//${other.url.host}/v2/>; rel="next"`),
    );
    expect(await registry.foreseePurge(name, digest)).toMatchObject({ kind: 'failed' });
    expect(other.seen).toHaveLength(0);
  });
});

describe('a manifest is at a mirror (registry.k8s.io)', () => {
  const variable = 'REGISTRY_ALLOWED_HOSTS';
  const found: Script = () => ({ status: 200, body: image.manifest });
  const to =
    (status: number, location: string): Script =>
    ({ headers }) =>
      headers.authorization
        ? { status, headers: { location } }
        : { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };

  it.each([301, 302, 303, 307, 308])(
    'and is read there without credentials (%i)',
    async (status) => {
      const mirror = await connect(found);
      const { registry, seen } = await connect(
        to(status, `${mirror.url}v2/mirrored/manifests/v1`),
        { ...credentials, elsewhere: { hosts: [mirror.url.host], variable } },
      );
      for (const reference of [v1, digest]) {
        expect(await registry.readManifest(name, reference)).toMatchObject({
          kind: 'found',
          descriptor: { digest },
        });
      }
      expect(seen.at(-1)?.headers.authorization).toMatch(/^Basic/);
      expect(mirror.seen).toHaveLength(2);
      expect(mirror.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
      expect(mirror.seen[0]?.headers.accept).toContain('oci.image.index');
    },
  );

  it('that an operator has named, and at no other', async () => {
    const mirror = await connect(found);
    const location = `${mirror.url}v2/mirrored/manifests/v1`;
    const redirect: Script = () => ({ status: 307, headers: { location } });
    const named = await connect(redirect, { elsewhere: { hosts: [mirror.url.host], variable } });
    expect(await named.registry.readManifest(name, v1)).toMatchObject({ kind: 'found' });
    const before = mirror.seen.length;
    const unnamed = await connect(redirect, { elsewhere: { hosts: [], variable } });
    for (const outcome of [
      await unnamed.registry.readManifest(name, v1),
      await unnamed.registry.readBlob(name, { mediaType: 'x/y', digest, size: 7 }),
    ]) {
      expect(outcome).toMatchObject({ kind: 'failed', retryable: false });
      expect(outcome).toHaveProperty('detail', expect.stringContaining(mirror.url.host));
      expect(outcome).toHaveProperty('detail', expect.stringContaining(variable));
    }
    expect(mirror.seen).toHaveLength(before);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[fe80::1]/',
    'file:///etc/passwd',
    'http://[',
  ])('but never at %s', async (location) => {
    const { registry } = await connect(() => ({ status: 302, headers: { location } }));
    expect(await registry.readManifest(name, v1)).toMatchObject({ kind: 'failed' });
  });

  it('which may not send us round for ever', async () => {
    const { registry, seen } = await connect(({ path }) => ({
      status: 307,
      headers: { location: `${path}x` },
    }));
    expect(await registry.readManifest(name, v1)).toMatchObject({ kind: 'failed' });
    // Each of four tries ends after five redirects.
    expect(seen).toHaveLength(4 * 6);
  });
});
