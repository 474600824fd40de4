import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLayoutRegistry } from '../../../src/registry/layout/layout-registry.ts';
import type { RegistryCall } from '../../../src/registry/registry.ts';
import { installed } from '../../support/installed.ts';
import { sampleImage, sampleIndex, sampleLayer } from '../../support/sample-image.ts';
import {
  openLayout,
  repo,
  stateOf,
  storedDigests,
  tagged,
  temporaryDirectory,
} from './open-layout.ts';

const triage = repo('packs/acme/triage');
const other = repo('packs/globex/triage');
const v1 = tagged('1.0.0');
const image = sampleImage('triage');

describe('pushing and reading', () => {
  it('gives back by tag and by digest what was pushed, also after it was opened again', async () => {
    const { registry, directory } = await openLayout();
    expect(await registry.push(triage, v1, image)).toEqual({ kind: 'pushed' });
    expect(await stateOf(registry, triage, v1, image)).toBe('whole');
    await registry.close();
    const again = await openLayout(directory);
    expect(await stateOf(again.registry, triage, v1, image)).toBe('whole');
    expect(await stateOf(again.registry, triage, image.descriptor.digest, image)).toBe('whole');
    expect(await again.registry.readManifest(triage, v1)).toMatchObject({
      descriptor: image.descriptor,
    });
  });

  it('shows no repository what only another one holds', async () => {
    const { registry } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(other, v1, sampleImage('other'));
    const layer = image.blobs[0]?.descriptor ?? image.descriptor;
    expect(await registry.readManifest(other, image.descriptor.digest)).toEqual({
      kind: 'missing',
    });
    expect(await registry.readBlob(other, layer)).toEqual({ kind: 'missing' });
    expect(await registry.readManifest(repo('packs/acme'), v1)).toEqual({ kind: 'missing' });
  });

  it('accepts content that is already in the repository, but not by the digest of another one', async () => {
    const { registry } = await openLayout();
    await registry.push(triage, v1, image);
    const bare = { ...image, blobs: [] };
    expect(await registry.push(triage, tagged('again'), bare)).toEqual({ kind: 'pushed' });
    expect(await registry.push(other, v1, bare)).toMatchObject({
      kind: 'failed',
      retryable: false,
    });
    expect(await registry.readManifest(other, v1)).toEqual({ kind: 'missing' });
  });

  it('keeps what a moved tag was on, by digest', async () => {
    const { registry } = await openLayout();
    const newer = sampleImage('newer');
    await registry.push(triage, v1, image);
    await registry.push(triage, v1, newer);
    expect(await stateOf(registry, triage, v1, newer)).toBe('whole');
    expect(await stateOf(registry, triage, image.descriptor.digest, image)).toBe('whole');
    await registry.push(triage, v1, image);
    expect(await stateOf(registry, triage, v1, image)).toBe('whole');
  });

  it('reads the children of an index through the index', async () => {
    const { registry } = await openLayout();
    const child = sampleImage('child');
    const index = sampleIndex('index', [child]);
    await registry.push(triage, v1, index);
    expect(await stateOf(registry, triage, child.descriptor.digest, child)).toBe('whole');
    expect(await registry.purge(triage, child.descriptor.digest)).toEqual({
      kind: 'retained_shared',
    });
    expect(await stateOf(registry, triage, child.descriptor.digest, child)).toBe('whole');
  });

  it.each([
    ['another content', 'other bytes 1234'],
    ['too little', 'short'],
    ['too much', 'the right bytes, and then more than was said'],
  ])('refuses a blob with %s than its descriptor says, and stores nothing', async (_, content) => {
    const { registry, directory } = await openLayout();
    const layer = sampleLayer('the right bytes!');
    const wrong = { ...layer, open: () => Readable.from([Buffer.from(content)]) };
    const outcome = await registry.push(triage, v1, sampleImage('wrong', { layers: [wrong] }));
    expect(outcome).toMatchObject({ reason: 'REGISTRY_ERROR', retryable: false });
    expect(await storedDigests(directory)).toEqual([]);
  });

  it('refuses a manifest that does not match its digest', async () => {
    const { registry } = await openLayout();
    const manifest = Buffer.from(image.manifest).fill(' ', 0, 1);
    expect(await registry.push(triage, v1, { ...image, manifest })).toMatchObject({
      reason: 'REGISTRY_ERROR',
      retryable: false,
    });
  });

  it('breaks the stream of a blob that rotted on disk', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    const layer = image.blobs[1]?.descriptor ?? image.descriptor;
    const path = join(directory, 'blobs/sha256', layer.digest.slice(7));
    const bytes = await readFile(path);
    bytes[0] = 0;
    execFileSync('tee', [path], { input: bytes, stdio: ['pipe', 'ignore', 'inherit'] });
    const blob = await registry.readBlob(triage, layer);
    if (blob.kind !== 'found') throw new Error(blob.kind);
    await expect(buffer(blob.content)).rejects.toThrow('does not match');
  });

  it('streams: a source that fails half-way is a retryable failure and leaves nothing', async () => {
    const { registry, directory } = await openLayout();
    const layer = sampleLayer('never comes to its end');
    const broken = {
      ...layer,
      open: () =>
        Readable.from(
          (async function* () {
            yield Buffer.from('never');
            throw new Error('the upload broke off');
          })(),
        ),
    };
    expect(await registry.push(triage, v1, sampleImage('x', { layers: [broken] }))).toMatchObject({
      reason: 'REGISTRY_ERROR',
      retryable: true,
    });
    expect(await storedDigests(directory)).toEqual([]);
  });

  it('ends with TIMEOUT when the caller gives up, also while content is still coming', async () => {
    const { registry } = await openLayout();
    const hanging = { ...sampleLayer('x'), open: () => new Readable({ read: () => undefined }) };
    const outcome = registry.push(triage, v1, sampleImage('x', { layers: [hanging] }), {
      signal: AbortSignal.timeout(50),
    });
    expect(await outcome).toMatchObject({ reason: 'TIMEOUT', retryable: true });
    const aborted = { signal: AbortSignal.abort() };
    expect(await registry.readManifest(triage, v1, aborted)).toMatchObject({ reason: 'TIMEOUT' });
    expect(await registry.purge(triage, image.descriptor.digest, aborted)).toMatchObject({
      reason: 'TIMEOUT',
    });
  });

  it('reports every call once with its outcome', async () => {
    const calls: RegistryCall[] = [];
    const registry = await createLayoutRegistry({
      directory: await temporaryDirectory(),
      onCall: (call) => calls.push(call),
    });
    onTestFinished(() => registry.close());
    await registry.push(triage, v1, image);
    await registry.readManifest(triage, tagged('none'));
    await registry.purge(triage, image.descriptor.digest, { signal: AbortSignal.abort() });
    expect(calls.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['check', 'ok'],
      ['PUT image', 'ok'],
      ['GET manifest', 'missing'],
      ['DELETE image', 'TIMEOUT'],
    ]);
  });
});

describe.skipIf(!installed('skopeo'))('the layout for other tools', () => {
  it('is inspected and copied by skopeo under <repository>:<tag>', async () => {
    const { registry, directory } = await openLayout();
    await registry.push(triage, v1, image);
    await registry.push(other, v1, sampleImage('other'));
    const source = `oci:${directory}:${triage}:${v1}`;
    const seen: unknown = JSON.parse(
      execFileSync('skopeo', ['inspect', source], { encoding: 'utf8' }),
    );
    expect(seen).toMatchObject({ Digest: image.descriptor.digest });
    const copy = join(await temporaryDirectory(), 'copy');
    execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', source, `dir:${copy}`]);
    const manifest = await readFile(join(copy, 'manifest.json'));
    expect(manifest.equals(Buffer.from(image.manifest))).toBe(true);
  });
});
