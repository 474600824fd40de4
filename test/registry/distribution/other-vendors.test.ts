import { describe, expect, it, onTestFinished } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import {
  registryError,
  type ScriptedAnswer,
  startHostileRegistry,
} from '../../support/hostile-registry.ts';
import { INDEX, imageOf, indexOf, tag } from './images.ts';
import { name, type Store, vendor } from './vendor.ts';

describe('registries other than docker-registry', () => {
  it('Google Artifact Registry: the tags on the digest go first, no others', async () => {
    const image = imageOf('dangling');
    const { registry, store } = await vendor(
      (method, path, { tags }) =>
        method === 'DELETE' && path.includes('sha256:') && [...tags.values()].includes(image)
          ? registryError(400, 'GOOGLE_MANIFEST_DANGLING_TAG')
          : undefined,
      { v1: image, latest: image, v2: imageOf('other') },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect([...store.tags.keys()]).toEqual(['v2']);
    expect(store.manifests.has(image.descriptor.digest)).toBe(false);
  });

  /** go-containerregistry (`crane registry serve`): each tag is a copy of the manifest under a name of its own. */
  const tagsAsCopies = (deletesTags: boolean) => (method: string, path: string, store: Store) => {
    store.copies = true;
    if (path.includes('/referrers/')) return registryError(404, 'METHOD_UNKNOWN');
    if (method !== 'DELETE') return undefined;
    const reference = path.split('/').at(-1) ?? '';
    if (!reference.startsWith('sha256:')) {
      if (!deletesTags) return registryError(405, 'UNSUPPORTED');
      return store.tags.delete(reference)
        ? { status: 202 }
        : registryError(404, 'MANIFEST_UNKNOWN');
    }
    return store.manifests.delete(reference)
      ? { status: 202 }
      : registryError(404, 'MANIFEST_UNKNOWN');
  };

  it('go-containerregistry: a tag that is a copy goes after the image, those of signatures too', async () => {
    const image = imageOf('copied');
    const signature = imageOf('signature of the copied');
    const other = imageOf('other');
    const stem = image.descriptor.digest.replace(':', '-');
    const { registry, store, seen } = await vendor(tagsAsCopies(true), {
      v1: image,
      latest: image,
      [`${stem}.sig`]: signature,
      v2: other,
    });
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect([...store.tags.keys()]).toEqual(['v2']);
    expect([...store.manifests.values()]).toEqual([other]);
    expect(seen.filter(({ path }) => path.includes('/referrers/'))).toHaveLength(1);
  });

  it('a tag that the registry will not delete is named', async () => {
    const image = imageOf('sticky');
    const { registry, store } = await vendor(tagsAsCopies(false), { v1: image, latest: image });
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({
      kind: 'purged',
      remainingTags: ['v1', 'latest'],
    });
    expect(store.manifests.size).toBe(0);
  });

  it('a registry that was cut off inside its DELETE: the tags go although the image is gone', async () => {
    const image = imageOf('cut off');
    const other = imageOf('beside');
    const { registry, store } = await vendor(() => undefined, {
      v0: imageOf('teaches that tags go along'),
      v1: image,
      latest: image,
      v2: other,
    });
    await registry.purge(name, imageOf('teaches that tags go along').descriptor.digest);
    // The manifest went, its tags did not: they pull nothing, until the same content comes again.
    store.manifests.delete(image.descriptor.digest);
    expect(await registry.readManifest(name, tag('latest'))).toEqual({ kind: 'missing' });
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'already_gone' });
    expect([...store.tags.keys()]).toEqual(['v2']);
    store.manifests.set(image.descriptor.digest, image);
    expect(await registry.readManifest(name, tag('latest'))).toEqual({ kind: 'missing' });
  });

  it('once it has been seen that tags go along, nothing more is asked after a deletion', async () => {
    const images = ['first', 'second'].map((content) => imageOf(content));
    const [first, second] = images;
    if (!first || !second) throw new Error('unreachable');
    const { registry, seen } = await vendor(() => undefined, { v1: first, v2: second });
    const lists = () => seen.filter(({ path }) => path.includes('/tags/list')).length;
    await registry.purge(name, first.descriptor.digest);
    expect(lists()).toBe(2);
    await registry.purge(name, second.descriptor.digest);
    expect(lists()).toBe(3);
  });

  it('zot: a child goes after its index', async () => {
    const child = imageOf('zot child');
    const inner = indexOf(child);
    const index = indexOf(inner);
    const { registry, store } = await vendor(
      (method, path, { manifests }) =>
        method === 'DELETE' &&
        [...manifests.values()].some(
          ({ manifest, descriptor }) =>
            descriptor.mediaType === INDEX &&
            Buffer.from(manifest).includes(path.split('/').at(-1) ?? ''),
        )
          ? registryError(405, 'DENIED')
          : undefined,
      { v1: index },
      child,
      inner,
    );
    expect(await registry.purge(name, index.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(store.manifests.size).toBe(0);
  });

  it('zot: a child that an untagged index of others holds stays, and that is no failure', async () => {
    const child = imageOf('zot shared child');
    const index = indexOf(child);
    const { registry, store } = await vendor(
      (method, path) =>
        method === 'DELETE' && path.endsWith(child.descriptor.digest)
          ? registryError(405, 'DENIED')
          : undefined,
      { v1: index },
      child,
    );
    expect(await registry.purge(name, index.descriptor.digest)).toEqual({ kind: 'purged' });
    expect([...store.manifests.values()]).toEqual([child]);
  });

  /** Refuses a manifest that another one names, as `answer` has it. */
  const keepsWhatIsNamed =
    (answer: ScriptedAnswer) =>
    (method: string, path: string, { manifests }: Store): ScriptedAnswer | undefined => {
      const digest = path.split('/').at(-1) ?? '';
      const isNamed = [...manifests.values()].some(
        ({ manifest, descriptor }) =>
          descriptor.mediaType === INDEX && Buffer.from(manifest).includes(digest),
      );
      return method === 'DELETE' && isNamed ? answer : undefined;
    };

  describe.each<[string, ScriptedAnswer]>([
    ['Google Artifact Registry', registryError(400, 'GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE')],
    ['Google, of a referrer', registryError(400, 'GOOGLE_MANIFEST_REFERRING_MANIFEST')],
    ['GitLab', registryError(409, 'MANIFEST_REFERENCED', 'manifest referenced by a manifest list')],
    [
      'ECR',
      registryError(403, 'DENIED', 'Requested image referenced by manifest list: [sha256:a]'),
    ],
  ])('%s keeps what an index names', (_, answer) => {
    it('a child goes after its index, a referrer after its fallback tag', async () => {
      const child = imageOf('child that is kept');
      const index = indexOf(indexOf(child));
      const signature = imageOf('signature that is kept', index.descriptor);
      const { registry, store } = await vendor(
        keepsWhatIsNamed(answer),
        { v1: index, [index.descriptor.digest.replace(':', '-')]: indexOf(signature) },
        child,
        indexOf(child),
        signature,
      );
      expect(await registry.purge(name, index.descriptor.digest)).toEqual({ kind: 'purged' });
      expect(store.manifests.size).toBe(0);
    });

    it('an image that an untagged index of others names stays, and the message says so', async () => {
      const image = imageOf('named unseen');
      const { registry, store } = await vendor(
        keepsWhatIsNamed(answer),
        { v1: image },
        indexOf(image),
      );
      expect(await registry.purge(name, image.descriptor.digest)).toMatchObject({
        kind: 'failed',
        retryable: true,
        detail: 'the registry keeps the image: an index still names it',
      });
      expect(store.manifests.size).toBe(2);
    });
  });

  it('distribution 3 with a low `tags.maxtags`: a list is asked for without a number', async () => {
    const image = imageOf('few tags at once');
    const { registry, store } = await vendor(
      (_, path) =>
        path.includes('/tags/list?n=1000')
          ? registryError(400, 'PAGINATION_NUMBER_INVALID')
          : undefined,
      { v1: image, latest: image },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(store.tags.size).toBe(0);
  });

  it('a registry that refuses a list with and without a number is not asked for ever', async () => {
    const image = imageOf('no tags at once');
    const { registry, store } = await vendor(
      (_, path) =>
        path.includes('/tags/list') ? registryError(400, 'PAGINATION_NUMBER_INVALID') : undefined,
      { v1: image },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toMatchObject({ kind: 'failed' });
    expect(store.manifests.size).toBe(1);
  });

  it('Quay, asked by a name that is not its SERVER_HOSTNAME: the list goes on where it began', async () => {
    const image = imageOf('on the second page of Quay');
    const index = indexOf(image);
    const { registry } = await vendor(
      (_, path) => {
        if (!path.includes('/tags/list')) return undefined;
        if (path.includes('next_page=')) return { status: 200, body: '{"tags":["multi"]}' };
        const link = `<https://quay.invalid/v2/${name}/tags/list?n=100&next_page=a>; rel="next"`;
        return { status: 200, headers: { link }, body: '{"tags":["v1"]}' };
      },
      { v1: image, multi: index },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({
      kind: 'retained_shared',
    });
  });

  it.each<[string, ScriptedAnswer]>([
    ['Harbor: nothing is there', registryError(404, 'NOT_FOUND')],
    ['no permission there', registryError(403, 'DENIED')],
  ])('one image without referrers does not hide those of another: %s', async (_, answer) => {
    const gone = imageOf('without referrers');
    const image = imageOf('with referrers');
    const signature = imageOf('listed signature', image.descriptor);
    const { registry, store } = await vendor(
      (_method, path) => {
        if (!path.includes('/referrers/')) return undefined;
        if (path.endsWith(gone.descriptor.digest)) return answer;
        const manifests = path.endsWith(image.descriptor.digest) ? [signature.descriptor] : [];
        const body = JSON.stringify({ schemaVersion: 2, manifests });
        return { status: 200, headers: { 'content-type': INDEX }, body };
      },
      { v1: image },
      signature,
    );
    expect(await registry.purge(name, gone.descriptor.digest)).toEqual({ kind: 'already_gone' });
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(store.manifests.size).toBe(0);
  });

  it('with a referrers API, its pages are followed and what they list goes first', async () => {
    const image = imageOf('listed');
    const signatures = [imageOf('one', image.descriptor), imageOf('two', image.descriptor)];
    const { registry, store, seen } = await vendor(
      (_, path) => {
        if (!path.includes('/referrers/')) return undefined;
        const second = path.includes('page=2');
        const of = path.includes(image.descriptor.digest);
        const manifests = of ? [signatures[second ? 1 : 0]?.descriptor] : [];
        const next = of && !second ? { link: `<${path}?page=2>; rel="next"` } : undefined;
        const headers = { 'content-type': INDEX, ...next };
        return { status: 200, headers, body: JSON.stringify({ schemaVersion: 2, manifests }) };
      },
      { v1: image },
      ...signatures,
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(store.manifests.size).toBe(0);
    const deletes = seen.filter(({ method }) => method === 'DELETE');
    expect(deletes.at(-1)?.path).toContain(image.descriptor.digest);
  });

  it('with a referrers API, a page in its place is no word of the registry: nothing is removed', async () => {
    const first = imageOf('shows that there is an API');
    const image = imageOf('signed');
    const signature = imageOf('signature', image.descriptor);
    const pages: ScriptedAnswer[] = [
      { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found' },
      { status: 405, body: '<html>' },
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' },
    ];
    let page: ScriptedAnswer | undefined;
    const { registry, store } = await vendor(
      (_, path) => {
        if (!path.includes('/referrers/')) return undefined;
        const manifests = path.includes(image.descriptor.digest) ? [signature.descriptor] : [];
        const body = JSON.stringify({ schemaVersion: 2, manifests });
        return page ?? { status: 200, headers: { 'content-type': INDEX }, body };
      },
      { v1: first, v2: image },
      signature,
    );
    expect(await registry.purge(name, first.descriptor.digest)).toEqual({ kind: 'purged' });
    for (page of pages) {
      const outcome = await registry.purge(name, image.descriptor.digest);
      expect(outcome).toMatchObject({ reason: 'REGISTRY_ERROR', retryable: true });
      expect(store.manifests.size).toBe(2);
    }
    page = undefined;
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(store.manifests.size).toBe(0);
  });

  it('a purge cut off between the parts of an index finds the rest when repeated', async () => {
    const children = [imageOf('first child'), imageOf('second child')];
    const index = indexOf(...children);
    let deletes = 0;
    const { registry, store } = await vendor(
      (method) =>
        method === 'DELETE' && ++deletes === 2 ? registryError(403, 'DENIED') : undefined,
      { v1: index },
      ...children,
    );
    const { digest } = index.descriptor;
    expect(await registry.purge(name, digest)).toMatchObject({ reason: 'UNAUTHORIZED' });
    expect(store.manifests.size).toBe(2);
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
    expect(store.manifests.size).toBe(0);
  });

  it('tags come in pages; a listing that continues elsewhere is not followed', async () => {
    const image = imageOf('paged');
    const signature = imageOf('paged signature');
    const stem = image.descriptor.digest.replace(':', '-');
    const paged = await vendor(
      (_, path, { tags }) => {
        if (!path.includes('/tags/list')) return undefined;
        const listed = (name: string) => (tags.has(name) ? [name] : []);
        if (path.includes('last='))
          return { status: 200, body: JSON.stringify({ tags: listed(`${stem}.sig`) }) };
        const link = `</v2/${name}/tags/list?n=1000&last=v1>; title="more, of them"; rel="next"`;
        return { status: 200, headers: { link }, body: JSON.stringify({ tags: listed('v1') }) };
      },
      { v1: image, [`${stem}.sig`]: signature },
    );
    expect(await paged.registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(paged.store.manifests.size).toBe(0);

    const foreign = await vendor(
      (_, path) =>
        path.includes('/tags/list')
          ? {
              status: 200,
              headers: { link: '<http://elsewhere.invalid/>; rel=next' },
              body: '{"tags":[]}',
            }
          : undefined,
      { v1: image },
    );
    expect(await foreign.registry.purge(name, image.descriptor.digest)).toMatchObject({
      kind: 'failed',
    });
  });

  it('without a tags list, referrers are looked up by name and an index’s children stay', async () => {
    const child = imageOf('child');
    const index = indexOf(child);
    const signature = imageOf('signature by name');
    const { registry, store } = await vendor(
      (_, path) =>
        path.includes('/tags/list') ? { status: 404, body: 'no such page' } : undefined,
      { v1: index, [`${index.descriptor.digest.replace(':', '-')}.sig`]: signature },
      child,
    );
    expect(await registry.purge(name, index.descriptor.digest)).toEqual({ kind: 'purged' });
    expect([...store.manifests.values()]).toEqual([child]);
  });

  it.each<[string, ScriptedAnswer]>([
    ['go-containerregistry', registryError(404, 'METHOD_UNKNOWN')],
    ['a firewall', { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['a proxy without the route', { status: 501 }],
    ['a registry that takes it for a name', registryError(400, 'NAME_INVALID')],
    ['a registry that does not allow it', { status: 405 }],
  ])(
    'no referrers API at %s: the tags are looked at, and it is not asked again',
    async (_, none) => {
      const image = imageOf('without a referrers API');
      const signature = imageOf('signature by tag');
      const stem = image.descriptor.digest.replace(':', '-');
      const second = imageOf('second without');
      const { registry, store, seen } = await vendor(
        (_method, path) => (path.includes('/referrers/') ? none : undefined),
        { v1: image, [`${stem}.sig`]: signature, v2: second },
      );
      expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
      expect([...store.tags.keys()]).toEqual(['v2']);
      const asked = () => seen.filter(({ path }) => path.includes('/referrers/')).length;
      const before = asked();
      await registry.purge(name, second.descriptor.digest);
      expect(asked()).toBe(before);
    },
  );

  it.each<[string, ScriptedAnswer, object]>([
    ['Harbor, image gone', registryError(404, 'NOT_FOUND'), { kind: 'already_gone' }],
    ['Harbor, immutable', registryError(412, 'PRECONDITION'), { retryable: false }],
    [
      'Quay, read-only',
      registryError(405, 'DENIED', 'System is currently read-only.'),
      { retryable: true },
    ],
    ['GHCR', registryError(405, 'UNSUPPORTED'), { reason: 'DELETE_UNSUPPORTED', retryable: false }],
    ['Docker Hub', registryError(403, 'DENIED'), { reason: 'UNAUTHORIZED', retryable: false }],
    [
      'Azure, locked',
      registryError(405, 'UNSUPPORTED', 'The operation is disallowed on this registry'),
      { reason: 'REGISTRY_ERROR', retryable: false, detail: expect.stringMatching(/unlock/) },
    ],
    [
      'Azure, locked, by its code alone',
      registryError(405, 'REGISTRY_DISALLOWED_OPERATION'),
      { reason: 'REGISTRY_ERROR', retryable: false, detail: expect.stringMatching(/unlock/) },
    ],
    ['ECR, no permission', registryError(403, 'DENIED'), { reason: 'UNAUTHORIZED' }],
    ['ECR, image gone', registryError(404, 'MANIFEST_UNKNOWN'), { kind: 'already_gone' }],
  ])('%s: a DELETE is answered in its own words', async (_, answer, outcome) => {
    const { registry } = await vendor(
      (method) => (method === 'DELETE' ? answer : undefined),
      { v2: imageOf('another') },
      imageOf('its own words'),
    );
    const { digest } = imageOf('its own words').descriptor;
    expect(await registry.purge(name, digest)).toMatchObject(outcome);
  });

  it('Harbor: what nobody may read for want of a signature or a scan is no image kept from deletion', async () => {
    const image = imageOf('not scanned');
    const { registry, store } = await vendor(
      (method, path) =>
        method === 'GET' && path.includes('/manifests/')
          ? registryError(412, 'PROJECTPOLICYVIOLATION')
          : undefined,
      { v1: image },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toMatchObject({
      kind: 'failed',
      retryable: false,
      detail: expect.stringContaining('signatures and vulnerabilities'),
    });
    expect(store.manifests.size).toBe(1);
  });

  it('oras: an artifact of a draft, without a schemaVersion, does not hold up what is beside it', async () => {
    const image = imageOf('beside an artifact');
    const mediaType = 'application/vnd.oci.artifact.manifest.v1+json';
    const manifest = Buffer.from(JSON.stringify({ mediaType, artifactType: 'x/y', blobs: [] }));
    const { registry } = await vendor(
      (method, path) =>
        method === 'GET' && path.endsWith('/manifests/artifact')
          ? { status: 200, body: manifest }
          : undefined,
      { v1: image, artifact: imageOf('an artifact') },
    );
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await registry.readManifest(name, tag('artifact'))).toMatchObject({
      kind: 'found',
      descriptor: { mediaType },
    });
  });

  it('Quay: a tag that has expired is not there', async () => {
    const { registry } = await vendor(() => registryError(404, 'TAG_EXPIRED'), {});
    expect(await registry.readManifest(name, tag('v1'))).toEqual({ kind: 'missing' });
  });

  /** Token and registry in one; the service knows the actions `known` alone. */
  async function tokenVendor(known: RegExp, scopeOf: (method: string) => string | undefined) {
    const image = imageOf('behind tokens');
    const asked: string[] = [];
    const store = new Set([image.descriptor.digest]);
    const hostile = await startHostileRegistry(({ method, path, headers }) => {
      if (path.startsWith('/v2/auth')) {
        const scope = new URL(path, 'http://x').searchParams.get('scope') ?? '';
        asked.push(scope);
        return known.test(scope)
          ? { status: 200, body: JSON.stringify({ token: `t${scope.includes('push') ? 2 : 1}` }) }
          : registryError(400, 'INVALID_REQUEST');
      }
      const needed = method === 'GET' ? ['Bearer t1', 'Bearer t2'] : ['Bearer t2'];
      if (!needed.includes(headers.authorization ?? '')) {
        const scope = scopeOf(method);
        const challenge = `Bearer realm="/v2/auth",service="s"${scope ? `,scope="${scope}"` : ''}`;
        return { status: 401, headers: { 'www-authenticate': challenge } };
      }
      if (path.includes('/tags/list')) return { status: 200, body: '{"tags":[]}' };
      if (path.includes('/referrers/')) return { status: 404, body: 'no' };
      if (!store.has(image.descriptor.digest)) return registryError(404, 'MANIFEST_UNKNOWN');
      if (method === 'GET') return { status: 200, body: image.manifest };
      store.clear();
      return { status: 202 };
    });
    const registry = createDistributionRegistry({
      url: hostile.url,
      deadlineMs: 5_000,
      username: 'org+robot',
      password: 'p',
    });
    onTestFinished(async () => {
      await registry.close();
      await hostile.stop();
    });
    return { purge: () => registry.purge(name, image.descriptor.digest), asked };
  }
  const QUAY = /^repository:[^:]+:(?:push|pull|\*)(?:,(?:push|pull|\*))*$/;

  it('Quay: where its token service knows no "delete", what the challenge names is asked for', async () => {
    const { purge, asked } = await tokenVendor(
      QUAY,
      (method) => `repository:${name}:${method === 'GET' ? 'pull' : 'pull,push'}`,
    );
    expect(await purge()).toEqual({ kind: 'purged' });
    expect(await purge()).toEqual({ kind: 'already_gone' });
    // Once, for all requests of the first purge; from then on it is known.
    expect(asked.filter((scope) => scope.includes('delete'))).toHaveLength(1);
  });

  it('a token service that knows no "delete", and a challenge that names nothing: "push" is asked for', async () => {
    const { purge } = await tokenVendor(QUAY, () => undefined);
    expect(await purge()).toEqual({ kind: 'purged' });
  });

  it('Gitea: a challenge for "*" is answered with what we need', async () => {
    const { purge, asked } = await tokenVendor(/delete/, () => '*');
    expect(await purge()).toMatchObject({ kind: expect.any(String) });
    expect(asked[0]).toBe(`repository:${name}:pull,delete`);
  });
});
