import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Digest, Image } from '../../../src/registry/registry.ts';
import { sampleImage, sampleIndex, sampleLayer } from '../../support/sample-image.ts';
import { digestsOf, openLayout, repo, stateOf, storedDigests, tagged } from './open-layout.ts';

const triage = repo('packs/acme/triage');
const other = repo('packs/globex/triage');
const v1 = tagged('1.0.0');
const v2 = tagged('2.0.0');
const image = sampleImage('triage');
const keeper = sampleImage('keeper');
const digest = image.descriptor.digest;

const signatureOf = (subject: Image, name = 'signature') =>
  sampleImage(name, { subject: subject.descriptor });
const tagAbout = (subject: Digest, suffix = '') => tagged(`${subject.replace(':', '-')}${suffix}`);

describe('purging', () => {
  it('removes the manifest with every tag on it and all of its content', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(triage, v2, image);
    await registry.push(triage, tagged('keeper'), keeper);
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'purged' });
    expect(await registry.readManifest(triage, v1)).toEqual({ kind: 'missing' });
    expect(await registry.readManifest(triage, v2)).toEqual({ kind: 'missing' });
    expect(await registry.readManifest(triage, digest)).toEqual({ kind: 'missing' });
    expect(await storedDigests(directory)).toEqual(digestsOf(keeper));
  });

  it('says already_gone when there is nothing to remove, as often as it is asked', async () => {
    const { registry } = await openLayout();
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'already_gone' });
    await registry.push(triage, v1, image);
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'purged' });
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'already_gone' });
    expect(await registry.purge(other, digest)).toEqual({ kind: 'already_gone' });
  });

  it('purges once when eight calls come at the same time', async () => {
    const { registry } = await openLayout();
    await registry.push(triage, v1, image);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => registry.purge(triage, digest)),
    );
    expect(outcomes.filter(({ kind }) => kind === 'purged')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'already_gone')).toHaveLength(7);
  });

  it('removes by digest what has lost its tag to another manifest', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(triage, v1, keeper);
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual(digestsOf(keeper));
    expect(await stateOf(registry, triage, v1, keeper)).toBe('whole');
  });

  it('leaves the same image in another repository whole', async () => {
    const { registry } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(other, v1, image);
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'purged' });
    expect(await registry.readManifest(triage, digest)).toEqual({ kind: 'missing' });
    expect(await stateOf(registry, other, v1, image)).toBe('whole');
  });

  it('keeps a layer that another image shares', async () => {
    const { registry, directory } = await openLayout();
    const shared = sampleLayer('shared by both');
    const first = sampleImage('first', { layers: [shared, sampleLayer('only first')] });
    const second = sampleImage('second', { layers: [shared] });
    await registry.push(triage, v1, first);
    await registry.push(other, v1, second);
    await registry.purge(triage, first.descriptor.digest);
    expect(await stateOf(registry, other, v1, second)).toBe('whole');
    expect(await storedDigests(directory)).toEqual(digestsOf(second));
  });
});

describe('purging what refers to an image', () => {
  it('takes referrers along, and the referrers of those, but no other repository has to follow', async () => {
    const { registry, directory } = await openLayout();
    const signature = signatureOf(image);
    const countersignature = signatureOf(signature, 'countersignature');
    await registry.push(triage, v1, image);
    await registry.push(triage, tagged('signature'), signature);
    await registry.push(triage, tagged('countersignature'), countersignature);
    await registry.push(triage, tagged('keeper'), signatureOf(keeper, 'signature of another'));
    await registry.push(other, v1, signature);
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'purged' });
    const left = digestsOf(signatureOf(keeper, 'signature of another'), signature);
    expect(await storedDigests(directory)).toEqual(left);
    expect(await stateOf(registry, other, v1, signature)).toBe('whole');
  });

  it('takes the fallback tag and what it lists, and the tags that cosign writes', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(triage, tagAbout(digest), sampleIndex('one', [sampleImage('a')]));
    // Rewritten for each new referrer: the former list must not survive the purge either.
    const list = sampleIndex('two', [sampleImage('a'), signatureOf(image)]);
    await registry.push(triage, tagAbout(digest), list);
    for (const suffix of ['.sig', '.att', '.sbom'])
      await registry.push(triage, tagAbout(digest, suffix), sampleImage(suffix));
    await registry.push(triage, tagAbout(keeper.descriptor.digest, '.sig'), keeper);
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual(digestsOf(keeper));
  });

  it('sweeps referrers although their subject has gone before', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, signatureOf(image));
    expect(await registry.purge(triage, digest)).toEqual({ kind: 'already_gone' });
    expect(await storedDigests(directory)).toEqual([]);
  });

  it('keeps a referrer that another pack holds', async () => {
    const { registry } = await openLayout();
    const signature = signatureOf(image);
    await registry.push(triage, v1, image);
    await registry.push(triage, v2, signature);
    const held = new Set([signature.descriptor.digest]);
    expect(await registry.purge(triage, digest, { held })).toEqual({ kind: 'purged' });
    expect(await stateOf(registry, triage, v2, signature)).toBe('whole');
  });
});

describe('purging an index', () => {
  const amd = sampleImage('amd64');
  const arm = sampleImage('arm64');
  const both = sampleIndex('both', [amd, arm]);

  it('takes children that nothing else needs, and their signatures', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, both);
    await registry.push(triage, tagAbout(amd.descriptor.digest, '.sig'), sampleImage('sig'));
    await registry.push(triage, tagged('attestation'), signatureOf(arm));
    expect(await registry.purge(triage, both.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual([]);
  });

  it('keeps a child that another index needs or that has a tag of its own', async () => {
    const { registry, directory } = await openLayout();
    const second = sampleIndex('second', [arm]);
    await registry.push(triage, v1, both);
    await registry.push(triage, v2, second);
    await registry.push(triage, tagged('amd64'), amd);
    const signature = signatureOf(amd);
    await registry.push(triage, tagged('signature'), signature);
    expect(await registry.purge(triage, both.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual(digestsOf(second, amd, signature));
  });

  it('keeps a child that another pack holds until that is purged as well', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, both);
    const child = amd.descriptor.digest;
    const held = new Set([child]);
    expect(await registry.purge(triage, both.descriptor.digest, { held })).toEqual({
      kind: 'purged',
    });
    await registry.purge(triage, both.descriptor.digest);
    expect(await stateOf(registry, triage, child, amd)).toBe('whole');
    expect(await storedDigests(directory)).toEqual(digestsOf(amd));
    expect(await registry.purge(triage, child)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual([]);
  });
});

describe('a damaged layout', () => {
  it.each([
    ['torn', '{"schemaVersion":2,"manifests":[{"media'],
    ['empty', ''],
    ['no index', '{"schemaVersion":2}'],
  ])('with a %s index refuses everything and stays as it is', async (_, damaged) => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    const path = join(directory, 'index.json');
    const intact = await readFile(path);
    await writeFile(path, damaged);
    const refusal = { kind: 'failed', reason: 'REGISTRY_ERROR', retryable: false };
    const { registry: reopened } = await openLayout(directory);
    for (const each of [registry, reopened]) {
      expect(await each.push(triage, v2, keeper)).toMatchObject(refusal);
      expect(await each.purge(triage, digest)).toMatchObject(refusal);
      expect(await each.readManifest(triage, v1)).toMatchObject(refusal);
      expect(await each.check()).toMatchObject({
        ...refusal,
        detail: expect.stringContaining('restore the registry directory from a backup'),
      });
    }
    expect(await readFile(path, 'utf8')).toBe(damaged);
    await writeFile(path, intact);
    expect(await stateOf(reopened, triage, v1, image)).toBe('whole');
  });

  it('never starts over where an index has been lost', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.close();
    await rm(join(directory, 'index.json'));
    await rm(join(directory, 'oci-layout'));
    const { registry: reopened } = await openLayout(directory);
    expect(await reopened.check()).toMatchObject({ kind: 'failed', retryable: false });
    expect(await storedDigests(directory)).toEqual(digestsOf(image));
  });

  it('collects nothing while a manifest is unreadable, and can still purge that one', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(other, v1, keeper);
    await registry.close();
    await writeFile(join(directory, 'blobs/sha256', digest.slice(7)), 'rotten');
    const { registry: reopened } = await openLayout(directory);
    expect(await reopened.readManifest(triage, v1)).toMatchObject({
      reason: 'REGISTRY_ERROR',
      retryable: false,
    });
    expect(await reopened.purge(other, keeper.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual(digestsOf(image, keeper));
    expect(await reopened.purge(triage, digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual([]);
  });

  it('collects what came after a manifest was found unreadable, and what was there once it is purged', async () => {
    const { registry, directory } = await openLayout();
    const shared = sampleLayer('shared with the unreadable one');
    const rotten = sampleImage('rotten', { layers: [shared] });
    await registry.push(triage, v1, rotten);
    await registry.close();
    await writeFile(join(directory, 'blobs/sha256', rotten.descriptor.digest.slice(7)), 'rotten');
    const { registry: reopened } = await openLayout(directory);
    const later = sampleImage('later', { layers: [shared, sampleLayer('only later')] });
    await reopened.push(other, v1, later);
    await reopened.push(other, v2, keeper);
    expect(await reopened.purge(other, later.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual(digestsOf(rotten, keeper));
    expect(await reopened.purge(triage, rotten.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await storedDigests(directory)).toEqual(digestsOf(keeper));
  });

  it('works beside entries that it cannot read, keeps them, and all that they may need', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(other, v1, keeper);
    const path = join(directory, 'index.json');
    const index: { manifests: object[] } = JSON.parse(await readFile(path, 'utf8'));
    const { size: _, ...sizeless } = keeper.descriptor;
    const sha512 = { ...image.descriptor, digest: `sha512:${'ab'.repeat(64)}` };
    const entries = [sizeless, sha512, {}, null, 'text', { digest: 7 }];
    await writeFile(
      path,
      JSON.stringify({ ...index, manifests: [...entries, ...index.manifests] }),
    );
    const { registry: reopened } = await openLayout(directory);
    for (const each of [registry, reopened]) {
      expect(await each.check()).toEqual({ kind: 'ok' });
      expect(await stateOf(each, triage, v1, image)).toBe('whole');
    }
    const later = sampleImage('later');
    expect(await reopened.push(triage, v2, later)).toEqual({ kind: 'pushed' });
    expect(await reopened.purge(triage, later.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(await reopened.purge(triage, digest)).toEqual({ kind: 'purged' });
    expect(await reopened.purge(other, keeper.descriptor.digest)).toEqual({ kind: 'purged' });
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ ...index, manifests: entries });
    // Nobody knows what the one with sha512 needs of what was there before it was found.
    expect(await storedDigests(directory)).toEqual(digestsOf(image, keeper));
  });

  it('keeps entries that others wrote into the index', async () => {
    const { registry, directory } = await openLayout();
    const path = join(directory, 'index.json');
    await registry.push(triage, v1, keeper);
    const foreign = { ...keeper.descriptor, platform: { os: 'linux', architecture: 'arm64' } };
    const index: { manifests: object[] } = JSON.parse(await readFile(path, 'utf8'));
    const annotations = { by: 'somebody else' };
    const mixed = { ...index, annotations, manifests: [...index.manifests, foreign] };
    await writeFile(path, JSON.stringify(mixed));
    await registry.purge(triage, keeper.descriptor.digest);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      annotations,
      manifests: [foreign],
    });
    expect(await storedDigests(directory)).toEqual(digestsOf(keeper));
  });
});
