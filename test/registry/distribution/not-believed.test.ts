/** What registries and the proxies before them say that must not be taken for more than it is; all of it imitated. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import {
  registryError,
  type ScriptedAnswer,
  startHostileRegistry,
} from '../../support/hostile-registry.ts';
import { INDEX, imageOf, indexOf, referrerTag, tag } from './images.ts';
import { name, type Store, vendor } from './vendor.ts';

const json = (value: object): ScriptedAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

const pages: [string, ScriptedAnswer][] = [
  ['404 as text', { status: 404, body: '404 page not found' }],
  ['404 as HTML', { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ['405', { status: 405 }],
  ['501', { status: 501 }],
];

/** A router that lacks a route the first few times that it is asked for it. */
function lackingAtFirst(route: string, page: ScriptedAnswer, times: number) {
  let left = times;
  return (path: string) => (path.includes(route) && left-- > 0 ? page : undefined);
}

describe('a list of tags', () => {
  const both = () => {
    const image = imageOf('named by an index');
    return { image, index: indexOf(image) };
  };

  it('with neither tags nor a name is no list: nothing is removed', async () => {
    const { image, index } = both();
    for (const page of [{}, { status: 'ok' }, { tags: 'v1' }]) {
      const { registry, store } = await vendor(
        (_, path) => (path.includes('/tags/list') ? json(page) : undefined),
        { v1: image, multi: index },
      );
      const outcome = await registry.purge(name, image.descriptor.digest);
      expect(outcome).toMatchObject({ reason: 'REGISTRY_ERROR', retryable: true });
      expect(store.manifests.size).toBe(2);
    }
  });

  it('may be without tags where it names the repository', async () => {
    const image = imageOf('in a list without tags');
    const { registry } = await vendor(
      (_, path) => (path.includes('/tags/list') ? json({ name }) : undefined),
      {},
      image,
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
  });

  it.each(pages)(
    'that has been seen is not taken for missing because of a page: %s',
    async (_, page) => {
      const { image, index } = both();
      const first = imageOf('shows that tags are listed');
      let inTheWay = false;
      const { registry, store } = await vendor(
        (_method, path) => (inTheWay && path.includes('/tags/list') ? page : undefined),
        { v0: first, v1: image, multi: index },
      );
      await registry.purge(name, first.descriptor.digest);
      inTheWay = true;
      const outcome = await registry.purge(name, image.descriptor.digest);
      expect(outcome).toMatchObject({ kind: 'failed', retryable: true });
      expect(store.manifests.size).toBe(2);
      inTheWay = false;
      expect(await registry.purge(name, image.descriptor.digest)).toEqual({
        kind: 'retained_shared',
      });
    },
  );

  it.each(pages)(
    'of a registry not seen before is asked for again after a page: %s',
    async (_, page) => {
      for (const times of [1, 3]) {
        const { image, index } = both();
        const lacking = lackingAtFirst('/tags/list', page, times);
        const { registry, store } = await vendor((_method, path) => lacking(path), {
          v1: image,
          multi: index,
        });
        const { digest } = image.descriptor;
        expect(await registry.purge(name, digest)).toEqual({ kind: 'retained_shared' });
        expect(store.manifests.size).toBe(2);
      }
    },
  );

  it('is asked for again, too, by the reads ahead of a purge, and where a later page of it is missing', async () => {
    const { image, index } = both();
    const lacking = lackingAtFirst('last=v1', { status: 404, body: 'default backend - 404' }, 1);
    const { registry } = await vendor(
      (_, path) => {
        if (!path.includes('/tags/list')) return undefined;
        if (path.includes('last=v1')) return lacking(path) ?? json({ tags: ['multi'] });
        const link = `</v2/${name}/tags/list?n=1000&last=v1>; rel="next"`;
        return { ...json({ tags: ['v1'] }), headers: { link } };
      },
      { v1: image, multi: index },
    );
    const { digest } = image.descriptor;
    using ahead = registry.readAhead?.(name, digest, tag('v1'));
    expect(await registry.purge(name, digest, { ahead })).toEqual({ kind: 'retained_shared' });
  });

  it('goes on where it began, though the registry takes itself to be elsewhere', async () => {
    const image = imageOf('on the second page');
    const index = indexOf(image);
    const { registry, seen } = await vendor(
      (_, path, { tags }) => {
        if (!path.includes('/tags/list')) return undefined;
        if (path.includes('last=v1')) return json({ tags: [...tags.keys()].slice(1) });
        const link = `<https://127.0.0.1/v2/${name}/tags/list?n=1000&last=v1>; rel="next"`;
        return { ...json({ tags: ['v1'] }), headers: { link } };
      },
      { v1: image, multi: index },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({
      kind: 'retained_shared',
    });
    expect(seen.some(({ path }) => path.includes('last=v1'))).toBe(true);
  });
});

describe('a list of referrers', () => {
  it.each<[string, ScriptedAnswer]>([
    ...pages,
    ['403', { status: 403, body: 'Forbidden' }],
    ['200 as HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ])('of a registry not seen before is asked for again after a page: %s', async (_, page) => {
    const image = imageOf('signed');
    const signature = imageOf('its signature', image.descriptor);
    const lacking = lackingAtFirst('/referrers/', page, 1);
    const { registry, store } = await vendor(
      (_method, path) => {
        if (!path.includes('/referrers/')) return undefined;
        const manifests = path.endsWith(image.descriptor.digest) ? [signature.descriptor] : [];
        const body = JSON.stringify({ schemaVersion: 2, manifests });
        return lacking(path) ?? { status: 200, headers: { 'content-type': INDEX }, body };
      },
      { v1: image },
      signature,
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(store.manifests.size).toBe(0);
  });
});

describe('a deletion', () => {
  it.each([
    ['an error without a list', { error: { code: 401, message: 'sign in' } }],
    ['a message', { message: 'request was blocked' }],
    ['a text', 'ok'],
    ['a list', []],
  ])('that is answered with %s and changed nothing is none', async (_, page) => {
    const image = imageOf('not deleted');
    const { registry } = await vendor(
      (method) => (method === 'DELETE' ? json(Object(page)) : undefined),
      { v1: image },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toMatchObject({
      kind: 'failed',
      retryable: true,
    });
  });

  it('that is answered with more than registries say, and was done, is one', async () => {
    const image = imageOf('deleted with words');
    const { registry } = await vendor(
      (method, path, { manifests, tags }) => {
        if (method !== 'DELETE') return undefined;
        tags.clear();
        manifests.delete(path.split('/').at(-1) ?? '');
        return json({ manifestsDeleted: [image.descriptor.digest] });
      },
      { v1: image },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
  });

  it.each<[string, ScriptedAnswer]>([
    ['GitLab', { status: 404, body: '{"message":"404 Not Found"}' }],
    ['Artifactory', { status: 404, body: '{"errors":[{"status":404,"message":"not found"}]}' }],
    ['a code in lower case', registryError(404, 'manifest_unknown')],
    ['the registry of a tag', registryError(404, 'TAG_UNKNOWN')],
    [
      'two codes, one of them another',
      {
        status: 404,
        body: '{"errors":[{"code":"MANIFEST_UNKNOWN"},{"code":"DENIED"}]}',
      },
    ],
    ['a 410', registryError(410, 'NOT_FOUND')],
  ])('of what is not there is no "gone" in the words of %s', async (_, answer) => {
    const image = imageOf('in other words');
    const { registry } = await vendor((method) => (method === 'DELETE' ? answer : undefined), {
      v1: image,
    });
    expect(await registry.purge(name, image.descriptor.digest)).toMatchObject({ kind: 'failed' });
  });

  it('of an image that is gone already finds it gone, though an index still names it', async () => {
    const image = imageOf('gone before');
    const index = indexOf(image);
    const { registry, store } = await vendor(() => undefined, { multi: index });
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'already_gone' });
    expect([...store.manifests.values()]).toEqual([index]);
  });
});

describe('a tag that outlives its image', () => {
  const copies = (refusal: ScriptedAnswer) => (method: string, path: string, store: Store) => {
    store.copies = true;
    if (method !== 'DELETE') return undefined;
    const reference = path.split('/').at(-1) ?? '';
    if (!reference.startsWith('sha256:')) return refusal;
    return store.manifests.delete(reference)
      ? { status: 202 }
      : registryError(404, 'MANIFEST_UNKNOWN');
  };

  it.each<[string, ScriptedAnswer]>([
    ['kept by rule (Harbor)', registryError(412, 'PRECONDITION')],
    ['kept by rule (Quay)', registryError(409, 'TAG_IMMUTABLE')],
    ['beyond what the account may do', registryError(401, 'UNAUTHORIZED')],
    ['called malformed', registryError(400, 'DIGEST_INVALID')],
  ])('and is %s does not hold up the deletion, and is named', async (_, refusal) => {
    const image = imageOf('kept by its tag');
    const { registry } = await vendor(copies(refusal), { v1: image });
    const { digest } = image.descriptor;
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged', remainingTags: ['v1'] });
    expect(await registry.purge(name, digest)).toEqual({
      kind: 'already_gone',
      remainingTags: ['v1'],
    });
  });
});

describe('tags of referrers of referrers that outlive their images', () => {
  it.each([0, 1, 2])(
    'all go, though the purge before was cut off after %i of them',
    async (most) => {
      const image = imageOf('signed');
      const signature = imageOf('its signature', image.descriptor);
      const witness = imageOf('the signature of that', signature.descriptor);
      let left = most;
      const { registry, store } = await vendor(
        (method, path, { manifests }) => {
          const reference = path.split('/').at(-1) ?? '';
          if (method !== 'DELETE') return undefined;
          if (!reference.startsWith('sha256:')) return left-- > 0 ? undefined : { status: 500 };
          return manifests.delete(reference)
            ? { status: 202 }
            : registryError(404, 'MANIFEST_UNKNOWN');
        },
        {
          v1: image,
          [referrerTag(image)]: indexOf(signature),
          [referrerTag(signature)]: indexOf(witness),
        },
        signature,
        witness,
      );
      store.copies = true;
      const { digest } = image.descriptor;
      expect(await registry.purge(name, digest)).toMatchObject({ kind: 'failed' });
      left = Number.POSITIVE_INFINITY;
      await registry.purge(name, digest);
      expect([...store.tags.keys()]).toEqual([]);
    },
  );
});

describe('token services', () => {
  const image = imageOf('behind other tokens');

  /** Gives a token that allows what `grants` says of the scope; answers as `shape` has it. */
  async function guarded(
    grants: (scope: string) => readonly string[],
    shape: (token: string) => object = (token) => ({ token }),
    challengeOf = (method: string) =>
      `Bearer realm="/token",service="s",scope="repository:${name}:${method === 'GET' ? 'pull' : 'pull,push'}"`,
  ) {
    let isThere = true;
    const hostile = await startHostileRegistry(({ method, path, headers }) => {
      if (path.startsWith('/token')) {
        const scope = new URL(path, 'http://x').searchParams.get('scope') ?? '';
        return json(shape(`t-${grants(scope).join('-')}-`));
      }
      const needed = method === 'GET' ? '-pull-' : '-push-';
      const sent = headers.authorization ?? '';
      if (!sent.includes(needed) && !sent.startsWith('Basic ')) {
        return { status: 401, headers: { 'www-authenticate': challengeOf(method) } };
      }
      if (path.includes('/tags/list')) return json({ tags: [] });
      if (path.includes('/referrers/')) return { status: 404, body: 'no' };
      if (!isThere) return registryError(404, 'MANIFEST_UNKNOWN');
      if (method === 'GET') return { status: 200, body: image.manifest };
      isThere = false;
      return { status: 202 };
    });
    const registry = createDistributionRegistry({
      url: hostile.url,
      deadlineMs: 5_000,
      username: 'robot',
      password: 'secret',
    });
    onTestFinished(async () => {
      await registry.close();
      await hostile.stop();
    });
    return { purge: () => registry.purge(name, image.descriptor.digest), seen: hostile.seen };
  }
  const actionsOf = (scope: string) => scope.split(':').at(-1)?.split(',') ?? [];

  it('that pass over a whole scope for one action that they do not know are asked for less', async () => {
    const { purge } = await guarded((scope) =>
      actionsOf(scope).includes('delete') ? [] : actionsOf(scope),
    );
    expect(await purge()).toEqual({ kind: 'purged' });
    expect(await purge()).toEqual({ kind: 'already_gone' });
  });

  it('may send two fields, one of them empty', async () => {
    const { purge } = await guarded(
      () => ['pull', 'push'],
      (token) => ({ token: '', access_token: token }),
    );
    expect(await purge()).toEqual({ kind: 'purged' });
  });

  it('elsewhere are not asked where the registry takes Basic as well', async () => {
    const { purge, seen } = await guarded(
      () => [],
      undefined,
      () => 'Bearer realm="https://tokens.invalid/token", Basic realm="Artifactory"',
    );
    expect(await purge()).toEqual({ kind: 'purged' });
    expect(seen.some(({ path }) => path.startsWith('/token'))).toBe(false);
  });
});
