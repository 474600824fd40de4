import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { extract, pack as tarStreamPack } from 'tar-stream';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildPackImage, type PackImage } from '../../src/packs/archive/build-image.ts';
import { readPackArchive } from '../../src/packs/archive/read-archive.ts';
import { ParserThread } from '../../src/parser-thread.ts';
import {
  entriesOfDirectory,
  gzipped,
  type RawEntry,
  samplePackEntries,
  tarOf,
} from '../support/archives.ts';
import { installed } from '../support/installed.ts';

const run = promisify(execFile);
const EXAMPLE = new URL('../../examples/incident-triage', import.meta.url).pathname;
let work: string;
const parserThread = new ParserThread();
afterAll(() => parserThread[Symbol.asyncDispose]());
let images = 0;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'archive-image-'));
});
afterEach(() => rm(work, { recursive: true }));

async function imageOf(archive: Uint8Array): Promise<PackImage> {
  images += 1;
  const directory = join(work, String(images));
  await mkdir(directory);
  const options = { maxArchiveBytes: 1024 * 1024, parserThread };
  const outcome = await readPackArchive(Readable.from([archive]), options, directory);
  if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
  return buildPackImage(outcome.pack, directory);
}

const layerOf = async ({ blobs }: PackImage): Promise<Buffer> => {
  const layer = blobs[1];
  if (layer === undefined) throw new Error('An image has a config and a layer');
  return gunzipSync(await buffer(layer.open()));
};

const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const long = `data/${'deep/'.repeat(30)}file.txt`;
const entries: RawEntry[] = [
  ...samplePackEntries({ files: { 'data/z.bin': Buffer.alloc(200_000, 7) } }),
  { name: 'data/caf\u00e9', content: 'x' },
];

describe('the same content gives the same digest', () => {
  test.each<[string, () => Uint8Array]>([
    ['another order', () => gzipped(tarOf([...entries].reverse()))],
    [
      'other times and owners',
      () => gzipped(tarOf(entries.map((entry) => ({ ...entry, mtime: 1, uid: 501, uname: 'me' })))),
    ],
    ['no compression', () => gzipped(tarOf(entries), 0)],
    ['the best compression', () => gzipped(tarOf(entries), 9)],
    [
      'a wrapping directory',
      () => gzipped(tarOf(entries.map((entry) => ({ ...entry, name: `p/${entry.name}` })))),
    ],
    [
      'a leading ./',
      () => gzipped(tarOf(entries.map((entry) => ({ ...entry, name: `./${entry.name}` })))),
    ],
    ['no directory entries', () => gzipped(tarOf(entries.filter(({ type }) => type !== '5')))],
    [
      'group and other permissions',
      () =>
        gzipped(tarOf(entries.map((entry) => ({ ...entry, mode: (entry.mode ?? 0o644) & 0o700 })))),
    ],
    [
      'decomposed names',
      () =>
        gzipped(
          tarOf(entries.map((entry) => ({ ...entry, name: String(entry.name).normalize('NFD') }))),
        ),
    ],
  ])('%s', async (_what, archive) => {
    const image = await imageOf(archive());
    expect(image.descriptor).toEqual((await imageOf(gzipped(tarOf(entries)))).descriptor);
  });

  test.each<[string, RawEntry[]]>([
    [
      'a changed byte',
      entries.map((entry) => (entry.name === 'behavior.md' ? { ...entry, content: '!' } : entry)),
    ],
    [
      'an executable bit',
      entries.map((entry) => (entry.name === 'behavior.md' ? { ...entry, mode: 0o755 } : entry)),
    ],
    ['an empty directory', [...entries, { name: 'templates', type: '5' }]],
  ])('%s gives another', async (_what, changed) => {
    const image = await imageOf(gzipped(tarOf(changed)));
    expect(image.descriptor.digest).not.toBe(
      (await imageOf(gzipped(tarOf(entries)))).descriptor.digest,
    );
  });

  test('the sample pack has this digest, on every machine', async () => {
    const image = await imageOf(gzipped(tarOf(entriesOfDirectory(EXAMPLE))));
    const layer = await layerOf(image);
    expect(sha256(layer)).toBe(
      'sha256:05a25fe303b7809b6ebccc3eed3f8ee8b1e3e61683291d29614fd73c7d772335',
    );
    // The compressed bytes are zlib's; this holds for the Node release in package.json.
    expect(image.descriptor.digest).toBe(
      'sha256:ec33ed001723a07c5cf0202ae959a33da36064a56ed09aeaba138367f542914a',
    );
  });
});

describe('the image', () => {
  test('is what its descriptors say', async () => {
    const image = await imageOf(gzipped(tarOf(entries)));
    expect(image.descriptor).toMatchObject({
      digest: sha256(image.manifest),
      size: image.manifest.length,
    });
    const blobs = await Promise.all(image.blobs.map(({ open }) => buffer(open())));
    // A push may be tried again, so a second `open` gives the same bytes.
    const again = await Promise.all(image.blobs.map(({ open }) => buffer(open())));
    expect(again).toEqual(blobs);
    expect(image.blobs.map(({ descriptor }) => descriptor.digest)).toEqual(blobs.map(sha256));
    expect(image.blobs.map(({ descriptor }) => descriptor.size)).toEqual(
      blobs.map((b) => b.length),
    );
    const total = blobs.reduce((sum, blob) => sum + blob.length, image.manifest.length);
    expect(image.sizeBytes).toBe(total);

    const config: unknown = JSON.parse(String(blobs[0]));
    expect(config).toEqual({
      architecture: 'amd64',
      config: {},
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [sha256(await layerOf(image))] },
    });
    const manifest: unknown = JSON.parse(Buffer.from(image.manifest).toString());
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      artifactType: 'application/vnd.packgateway.pack.v1',
      config: image.blobs[0]?.descriptor,
      layers: [image.blobs[1]?.descriptor],
      annotations: {
        'org.opencontainers.image.title': 'incident-triage',
        'org.opencontainers.image.version': '1.0.0',
        'org.opencontainers.image.description': 'A pack for tests.',
      },
    });
  });

  test('has a layer that another tar reader understands', async () => {
    const source = tarStreamPack();
    for (const { name, content } of samplePackEntries()) {
      if (content !== undefined) source.entry({ name: String(name) }, Buffer.from(content));
    }
    source.entry({ name: long }, 'long');
    source.entry({ name: 'guides/日本語.md' }, 'text');
    source.finalize();
    const image = await imageOf(gzipped(await buffer(source)));

    const seen: Record<string, string> = {};
    const reader = extract();
    reader.on('entry', (header, stream, next) => {
      expect(header).toMatchObject({ uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) });
      const mode = header.mode?.toString(8) ?? '';
      buffer(stream).then((content) => {
        seen[header.name] = `${mode} ${content}`;
        next();
      }, next);
    });
    await pipeline(Readable.from([await layerOf(image)]), reader);
    expect(Object.keys(seen)).toEqual(Object.keys(seen).sort());
    expect(seen).toMatchObject({
      [long]: '644 long',
      'guides/': '755 ',
      'guides/日本語.md': '644 text',
      'data/deep/deep/': '755 ',
    });
  });

  test.skipIf(!installed('skopeo'))('is accepted by skopeo out of an OCI layout', async () => {
    const image = await imageOf(gzipped(tarOf(entriesOfDirectory(EXAMPLE, 'incident-triage/'))));
    const layout = join(work, 'layout');
    const blobs = join(layout, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    const put = (digest: string, bytes: Uint8Array) =>
      writeFile(join(blobs, digest.replace('sha256:', '')), bytes);
    for (const blob of image.blobs) await put(blob.descriptor.digest, await buffer(blob.open()));
    await put(image.descriptor.digest, image.manifest);
    await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const tagged = {
      ...image.descriptor,
      annotations: { 'org.opencontainers.image.ref.name': '1.4.0' },
    };
    await writeFile(
      join(layout, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [tagged] }),
    );

    const copy = join(work, 'copy');
    await run('skopeo', ['--insecure-policy', 'copy', `oci:${layout}:1.4.0`, `oci:${copy}:1.4.0`]);
    const { stdout } = await run('skopeo', [
      'inspect',
      '--format',
      '{{.Digest}}',
      `oci:${copy}:1.4.0`,
    ]);
    expect(stdout.trim()).toBe(image.descriptor.digest);
  });

  test.skipIf(!installed('tar'))('is the same from an archive that tar made', async () => {
    const archive = join(work, 'incident-triage.tar.gz');
    const parent = join(EXAMPLE, '..');
    await run('tar', ['-czf', archive, '-C', parent, 'incident-triage']);
    const { stdout } = await run('tar', ['-cz', '-C', EXAMPLE, '.'], { encoding: 'buffer' });
    const inside = await imageOf(stdout);
    expect(inside.descriptor).toEqual(
      (await imageOf(gzipped(tarOf(entriesOfDirectory(EXAMPLE))))).descriptor,
    );
    const { stdout: wrapped } = await run('cat', [archive], { encoding: 'buffer' });
    expect((await imageOf(wrapped)).descriptor).toEqual(inside.descriptor);
  });
});
