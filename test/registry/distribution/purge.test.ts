import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import type { Registry, RegistryCall, Repository } from '../../../src/registry/registry.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { installed } from '../../support/installed.ts';
import {
  digest,
  imageOf,
  indexOf,
  isThere,
  referrerTag,
  repository,
  tag,
  upload,
} from './images.ts';

describe.skipIf(!installed('docker-registry'))('purging from docker-registry', () => {
  let docker: DockerRegistry;
  let registry: Registry;
  let name: Repository;
  const calls: RegistryCall[] = [];

  beforeAll(async () => {
    docker = await startDockerRegistry();
    registry = createDistributionRegistry({
      url: docker.url,
      deadlineMs: 10_000,
      onCall: (call) => calls.push(call),
    });
  });
  afterAll(async () => {
    await registry.close();
    await docker.stop();
  });
  beforeEach(() => {
    name = repository(`packs/acme/${randomUUID()}`);
    calls.length = 0;
  });

  const put = (image: ReturnType<typeof imageOf>, ...tags: string[]) =>
    upload(docker.url, name, image, ...tags.map(tag));
  const there = (reference: Parameters<typeof isThere>[2]) => isThere(docker.url, name, reference);
  const purge = (image: ReturnType<typeof imageOf>, ...held: ReturnType<typeof imageOf>[]) =>
    registry.purge(name, image.descriptor.digest, {
      held: new Set(held.map(({ descriptor }) => descriptor.digest)),
    });

  it('removes a plain image, in three requests once the registry is known', async () => {
    await purge(await put(imageOf('teaches that there is no referrers API, and of tags'), 'v2'));
    const image = await put(imageOf('plain'), 'v1');
    calls.length = 0;

    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(await there(image)).toBe(false);
    expect(calls.map(({ operation }) => operation).sort()).toEqual([
      'DELETE manifest',
      'GET manifest',
      'GET tags',
    ]);
    expect(calls.at(-1)).toMatchObject({
      operation: 'DELETE manifest',
      repository: name,
      status: 202,
      outcome: 'ok',
    });
  });

  it('each further tag costs one request, and what it pulls stays', async () => {
    await purge(await put(imageOf('teaches'), 'v2'));
    const other = await put(imageOf('other'), 'v0');
    const image = await put(imageOf('beside another'), 'v1', 'latest');
    calls.length = 0;
    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(await there(tag('v0'))).toBe(true);
    expect(await there(other)).toBe(true);
    expect(calls).toHaveLength(5);
  });

  it('signatures are read once', async () => {
    await purge(await put(imageOf('teaches'), 'v2'));
    const image = await put(imageOf('signed for counting'), 'v1');
    await put(imageOf('signature for counting'), referrerTag(image, '.sig'));
    calls.length = 0;
    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(calls.map(({ operation }) => operation).sort()).toEqual([
      'DELETE manifest',
      'DELETE manifest',
      'GET manifest',
      'GET manifest',
      'GET tags',
    ]);
  });

  it('says already gone the second time, and for a repository that never was', async () => {
    const image = await put(imageOf('twice'), 'v1');
    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(await purge(image)).toEqual({ kind: 'already_gone' });
    name = repository(`packs/acme/${randomUUID()}`);
    expect(await purge(image)).toEqual({ kind: 'already_gone' });
  });

  it('removes every tag on the digest', async () => {
    const image = await put(imageOf('two tags'), 'v1', 'latest');
    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(await there(tag('v1'))).toBe(false);
    expect(await there(tag('latest'))).toBe(false);
  });

  it('of eight purges at once each says purged or already gone', async () => {
    const image = await put(imageOf('contended'), 'v1');
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => purge(image)));
    // docker-registry itself may answer 202 twice; what is deleted once is the pack, not the image.
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['purged', 'already_gone']));
    expect(await there(image)).toBe(false);
  });

  it('removes what the fallback tag lists, referrers of referrers too, and the tag', async () => {
    const image = await put(imageOf('signed'), 'v1');
    const signature = await put(imageOf('signature', image.descriptor));
    const witness = await put(imageOf('signature of the signature', signature.descriptor));
    const list = await put(indexOf(signature), referrerTag(image));
    await put(indexOf(witness), referrerTag(signature));

    expect(await purge(image)).toEqual({ kind: 'purged' });
    for (const gone of [image, signature, witness, list]) expect(await there(gone)).toBe(false);
    expect(await there(referrerTag(image))).toBe(false);
    expect(await there(referrerTag(signature))).toBe(false);
    // The subject goes last: whatever cuts a purge off, the next one finds the rest.
    const deleted = calls.filter(({ operation }) => operation === 'DELETE manifest');
    expect(deleted).toHaveLength(5);
  });

  it('cleans up referrers that outlived their subject', async () => {
    const image = await put(imageOf('signed once'), 'v1');
    expect(await purge(image)).toEqual({ kind: 'purged' });
    const signature = await put(imageOf('late signature', image.descriptor));
    await put(indexOf(signature), referrerTag(image));
    expect(await purge(image)).toEqual({ kind: 'already_gone' });
    expect(await there(signature)).toBe(false);
    expect(await there(referrerTag(image))).toBe(false);
  });

  it('removes cosign’s signature, attestation and SBOM tags', async () => {
    const image = await put(imageOf('cosigned'), 'v1');
    const suffixes = ['.sig', '.att', '.sbom'];
    for (const suffix of suffixes)
      await put(imageOf(`cosign ${suffix}`), referrerTag(image, suffix));
    await put(imageOf('unrelated'), 'v2');
    expect(await purge(image)).toEqual({ kind: 'purged' });
    for (const suffix of suffixes) expect(await there(referrerTag(image, suffix))).toBe(false);
    expect(await there(tag('v2'))).toBe(true);
  });

  it('a fallback tag that lists somebody else’s image does not take it along', async () => {
    const image = await put(imageOf('subject'), 'v1');
    const victim = await put(imageOf('victim'), 'v2');
    await put(indexOf(victim), referrerTag(image));
    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(await there(victim)).toBe(true);
    expect(await there(tag('v2'))).toBe(true);
  });

  it('a cosign tag on an image that has a tag of its own does not take it along', async () => {
    const image = await put(imageOf('subject 2'), 'v1');
    const victim = await put(imageOf('victim 2'), 'v2', referrerTag(image, '.sig'));
    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(await there(victim)).toBe(true);
  });

  it('a cycle of referrers ends', async () => {
    const image = await put(imageOf('cycle'), 'v1');
    const first = await put(imageOf('first', image.descriptor));
    // A list may name its own subject.
    await put(indexOf(first, image), referrerTag(image));
    await put(indexOf(image), referrerTag(first));
    expect(await purge(image)).toEqual({ kind: 'purged' });
    expect(await there(first)).toBe(false);
  });

  it('of an index, children go unless a tag, another index or a held digest needs them', async () => {
    const [alone, tagged, shared, nestedShared, held, heldChild] = await Promise.all(
      ['alone', 'tagged', 'shared', 'nested', 'held', 'held child'].map((content) =>
        put(imageOf(content)),
      ),
    );
    if (!alone || !tagged || !shared || !nestedShared || !held || !heldChild)
      throw new Error('unreachable');
    const signature = await put(imageOf('signature of a child', alone.descriptor));
    await put(indexOf(signature), referrerTag(alone));
    const keptSignature = await put(imageOf('signature of a kept child', shared.descriptor));
    await put(indexOf(keptSignature), referrerTag(shared));
    await put(tagged, 'child');
    const heldIndex = await put(indexOf(heldChild));
    const nested = await put(indexOf(nestedShared));
    await put(indexOf(shared, nested), 'other');
    const inner = await put(indexOf(alone));
    const index = await put(indexOf(inner, tagged, shared, nestedShared, held, heldChild), 'v1');

    expect(await purge(index, held, heldIndex)).toEqual({ kind: 'purged' });
    for (const gone of [index, inner, alone, signature]) expect(await there(gone)).toBe(false);
    for (const kept of [tagged, shared, nestedShared, held, heldChild, heldIndex, keptSignature]) {
      expect(await there(kept)).toBe(true);
    }
    expect(await there(tag('other'))).toBe(true);
  });

  it('a held referrer stays', async () => {
    const image = await put(imageOf('with a pack as referrer'), 'v1');
    const pack = await put(imageOf('pack', image.descriptor));
    await put(indexOf(pack), referrerTag(image));
    expect(await purge(image, pack)).toEqual({ kind: 'purged' });
    expect(await there(pack)).toBe(true);
  });

  it('a held digest that is not there any more is no obstacle', async () => {
    const image = await put(imageOf('beside a ghost'), 'v1');
    const ghost = digest(`sha256:${'0'.repeat(64)}`);
    const outcome = await registry.purge(name, image.descriptor.digest, { held: new Set([ghost]) });
    expect(outcome).toEqual({ kind: 'purged' });
  });
});

describe.skipIf(!installed('docker-registry'))('a docker-registry that refuses', () => {
  const name = repository('packs/acme/refused');
  const image = imageOf('refused');

  it.each([
    ['deletes disabled', { deletes: false }, { reason: 'DELETE_UNSUPPORTED', retryable: false }],
    ['read-only maintenance', { readOnly: true }, { reason: 'REGISTRY_ERROR', retryable: true }],
  ])('%s', async (_, options, failure) => {
    const writable = await startDockerRegistry();
    await upload(writable.url, name, image, tag('v1'));
    await writable.kill();
    const docker = await startDockerRegistry({ ...options, directory: writable.directory });
    const registry = createDistributionRegistry({ url: docker.url, deadlineMs: 5_000 });
    expect(await registry.purge(name, image.descriptor.digest)).toMatchObject(failure);
    expect(await isThere(docker.url, name, image)).toBe(true);
    await registry.close();
    await docker.stop();
    await writable.stop();
  });
});
