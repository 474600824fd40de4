/**
 * Token services that refuse a whole scope for one action of it, where the specification has them give a token for the
 * rest. Imitated: docker-registry's own gives the rest.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import type { RegistryCall } from '../../../src/registry/registry.ts';
import { registryError, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, repository, tag } from './images.ts';

const name = repository('packs/acme/scoped');
const other = repository('packs/acme/other');
const image = imageOf('scoped');
const { digest } = image.descriptor;

interface Service {
  /** The actions that it gives; a scope with any other is refused. */
  readonly allowed: (repository: string) => readonly string[];
  readonly status: number;
  readonly password?: string;
  readonly lifetime?: number;
  /** What a DELETE needs. */
  readonly deletion?: string;
}

async function guarded({
  allowed,
  status,
  password = 'secret',
  lifetime = 300,
  deletion = 'delete',
}: Service) {
  const asked: (string | null)[] = [];
  const deleted: string[] = [];
  const calls: RegistryCall[] = [];
  const known = `Basic ${Buffer.from('robot:secret').toString('base64')}`;
  const hostile = await startHostileRegistry(({ method, path, headers }) => {
    const url = new URL(path, 'http://registry');
    if (url.pathname === '/token') {
      const scope = url.searchParams.get('scope');
      asked.push(scope);
      const [, of = '', actions = ''] = scope?.split(':') ?? [];
      const isRefused =
        headers.authorization !== known ||
        (scope !== null && actions.split(',').some((action) => !allowed(of).includes(action)));
      if (isRefused) return registryError(status, 'UNAUTHORIZED');
      const body = JSON.stringify({ token: `${of}.${actions}.`, expires_in: lifetime });
      return { status: 200, body };
    }
    const [, , ...rest] = path.split('/');
    const of = rest.slice(0, 3).join('/');
    const needed = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
    const scope = method === 'DELETE' ? deletion : needed;
    const [granted, actions = ''] = (headers.authorization ?? '')
      .slice('Bearer '.length)
      .split('.');
    if (granted !== of || scope.split(',').some((one) => !actions.split(',').includes(one))) {
      const challenge = `Bearer realm="/token",service="s",scope="repository:${of}:${scope}"`;
      return { status: 401, headers: { 'www-authenticate': challenge } };
    }
    if (method === 'DELETE') {
      deleted.push(of);
      return { status: 202 };
    }
    if (path.includes('/tags/list')) return { status: 200, body: '{"tags":[]}' };
    if (path.includes('/referrers/')) return { status: 404, body: 'no' };
    return method === 'GET' ? { status: 200, body: image.manifest } : { status: 404 };
  });
  const registry = createDistributionRegistry({
    url: hostile.url,
    deadlineMs: 5_000,
    username: 'robot',
    password,
    onCall: (call) => calls.push(call),
  });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  return { registry, asked, deleted, calls };
}
const lacking = (right: string) => ({
  kind: 'failed',
  reason: 'UNAUTHORIZED',
  retryable: false,
  detail: expect.stringContaining(`the right to ${right} in this repository`),
});
const refusals = (calls: readonly RegistryCall[]) =>
  calls.filter(({ outcome }) => outcome === 'UNAUTHORIZED').length;

it('a token service that limits how often it is asked (403) refuses no right', async () => {
  const hostile = await startHostileRegistry(({ path }) =>
    path.startsWith('/token')
      ? registryError(403, 'DENIED', 'API rate limit exceeded')
      : { status: 401, headers: { 'www-authenticate': 'Bearer realm="/token",service="s"' } },
  );
  const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 3_000 });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  expect(await registry.readManifest(name, tag('v1'))).toMatchObject({
    reason: 'RATE_LIMITED',
    retryable: true,
  });
});

describe.each([401, 403])('a token service that refuses a scope with %i', (status) => {
  it('where it knows no "delete", deletes with the right to push, and that is no failure', async () => {
    const allowed = () => ['pull', 'push'];
    const { registry, deleted, calls } = await guarded({ allowed, status, deletion: 'pull,push' });
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    expect(deleted).toEqual([name]);
    expect(refusals(calls)).toBe(0);
  });

  it('where the account may not delete, says so, and deletes nothing', async () => {
    const { registry, asked, deleted } = await guarded({ allowed: () => ['pull'], status });
    expect(await registry.purge(name, digest)).toMatchObject(lacking('delete'));
    expect(deleted).toEqual([]);
    // The reads: all, then less. The DELETE: all again, because the token may only have grown old, then what it needs,
    // then nothing, which shows that the password is right.
    expect(asked).toEqual([
      `repository:${name}:pull,delete`,
      `repository:${name}:pull`,
      `repository:${name}:pull,delete`,
      `repository:${name}:delete`,
      null,
    ]);
  });

  it('where the account may only read, shows what a deletion would do', async () => {
    for (const lifetime of [300, 0.001]) {
      const { registry } = await guarded({ allowed: () => ['pull'], status, lifetime });
      expect(await registry.foreseePurge(name, digest)).toEqual({ kind: 'purged' });
    }
  });

  it('where the account may not push, says so', async () => {
    const { registry } = await guarded({ allowed: () => ['pull'], status });
    expect(await registry.push(name, tag('v1'), image)).toMatchObject(lacking('pull and push'));
  });

  it('in one repository is asked for all of it in another', async () => {
    const allowed = (of: string) => (of === other ? ['pull', 'delete'] : ['pull']);
    const { registry, asked, deleted } = await guarded({ allowed, status });
    expect(await registry.purge(name, digest)).toMatchObject(lacking('delete'));
    asked.length = 0;
    expect(await registry.purge(other, digest)).toEqual({ kind: 'purged' });
    expect(deleted).toEqual([other]);
    expect(asked).toEqual([`repository:${other}:pull,delete`]);
  });

  it('because the password is wrong is said to, once', async () => {
    const allowed = () => ['pull', 'push', 'delete'];
    const { registry, calls } = await guarded({ allowed, status, password: 'wrong' });
    expect(await registry.purge(name, digest)).toMatchObject({
      reason: 'UNAUTHORIZED',
      detail: expect.stringContaining('REGISTRY_PASSWORD'),
    });
    expect(refusals(calls)).toBe(1);
    expect(await registry.readManifest(name, tag('v1'))).toMatchObject({
      detail: expect.stringContaining('REGISTRY_PASSWORD'),
    });
  });
});
