import { describe, expect, onTestFinished, test } from 'vitest';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { credentials, startDockerRegistry } from '../support/docker-registry.ts';
import { startHostileRegistry } from '../support/hostile-registry.ts';
import { installed } from '../support/installed.ts';
import { listImages } from '../support/list-images.ts';
import { imageOf, repository, tag } from './distribution/images.ts';
import { openLayout } from './layout/open-layout.ts';

const alpha = imageOf('alpha');
const beta = imageOf('beta');

async function fill(registry: Registry): Promise<void> {
  const places: [string, string, typeof alpha][] = [
    ['packs/acme/one', 'v1', alpha],
    ['packs/acme/one', 'latest', alpha],
    ['packs/acme/one', 'v2', beta],
    ['packs/umbrella/two', 'v1', alpha],
    ['packs-of-others/acme/three', 'v1', alpha],
    ['elsewhere/packs/four', 'v1', alpha],
  ];
  for (const [name, version, image] of places) {
    const outcome = await registry.push(repository(name), tag(version), image);
    expect(outcome.kind).toBe('pushed');
  }
}

async function listed(registry: Registry): Promise<string[]> {
  const outcome = await listImages(registry, 'packs');
  if (outcome.kind === 'failed') throw new Error(outcome.detail);
  return outcome.images
    .map((image) => `${image.repository} ${[...image.tags].sort()} ${image.digest}`)
    .sort();
}

const whole = [
  `packs/acme/one latest,v1 ${alpha.descriptor.digest}`,
  `packs/acme/one v2 ${beta.descriptor.digest}`,
  `packs/umbrella/two v1 ${alpha.descriptor.digest}`,
];

describe('the images of a namespace', () => {
  test('are listed by the embedded registry', async () => {
    const { registry } = await openLayout();
    await fill(registry);
    expect(await listed(registry)).toEqual(whole);
  });

  test.skipIf(!installed('docker-registry')).each(['none', 'token'] as const)(
    'are listed by docker-registry with authorization by %s',
    async (auth) => {
      const docker = await startDockerRegistry({ auth });
      onTestFinished(() => docker.stop());
      const registry = createDistributionRegistry({
        url: docker.url,
        deadlineMs: 5_000,
        ...credentials,
      });
      onTestFinished(() => registry.close());
      docker.tokens?.allowed.push('*');
      await fill(registry);
      expect(await listed(registry)).toEqual(whole);
    },
  );

  test('are listed page by page', async () => {
    const hostile = await startHostileRegistry(({ path }) => {
      if (path.startsWith('/v2/_catalog?n=')) {
        const headers = { link: '</v2/_catalog?page=2>; rel="next"' };
        return { status: 200, headers, body: '{"repositories":["packs/acme/one"]}' };
      }
      if (path.startsWith('/v2/_catalog')) {
        return { status: 200, body: '{"repositories":["packs/acme/two"]}' };
      }
      if (path.includes('/tags/list')) return { status: 200, body: '{"tags":["v1"]}' };
      return { status: 200, body: alpha.manifest };
    });
    onTestFinished(() => hostile.stop());
    const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 2_000 });
    onTestFinished(() => registry.close());
    expect(await listed(registry)).toEqual(
      ['one', 'two'].map((name) => `packs/acme/${name} v1 ${alpha.descriptor.digest}`),
    );
  });

  /** A catalogue of `count` pages with one repository each; `after` what comes after the last. */
  const paged = async (count: number, after: number | null) => {
    const hostile = await startHostileRegistry(({ path }) => {
      if (path.startsWith('/v2/_catalog')) {
        const page = Number(new URL(path, 'http://x').searchParams.get('page') ?? 1);
        const next = page < count ? page + 1 : after;
        return {
          status: 200,
          ...(next !== null && { headers: { link: `</v2/_catalog?page=${next}>; rel="next"` } }),
          body: JSON.stringify({ repositories: [`packs/acme/p${page}`, `others/p${page}`] }),
        };
      }
      if (path.includes('/tags/list')) return { status: 200, body: '{"tags":["v1"]}' };
      return { status: 200, body: alpha.manifest };
    });
    onTestFinished(() => hostile.stop());
    const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 5_000 });
    onTestFinished(() => registry.close());
    return registry;
  };

  test('are all listed, however many pages the catalogue has', async () => {
    const found = await listed(await paged(250, null));
    expect(new Set(found).size).toBe(250);
    expect(found).toHaveLength(250);
  });

  test.each([1, 2, 7])(
    'are a failure where the catalogue goes in a circle of %d',
    async (length) => {
      const registry = await paged(20, 20 - length + 1);
      expect(await listImages(registry, 'packs')).toMatchObject({
        kind: 'failed',
        detail: 'a listing of the registry never ends',
      });
    },
  );

  test('are a failure, not an empty list, where the registry has no catalogue', async () => {
    const hostile = await startHostileRegistry(() => ({ status: 404, body: '404 page not found' }));
    onTestFinished(() => hostile.stop());
    const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 500 });
    onTestFinished(() => registry.close());
    expect(await listImages(registry, 'packs')).toMatchObject({ kind: 'failed' });
  });
});
