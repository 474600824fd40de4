import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { readPackImage } from '../../src/packs/read-pack-image.ts';
import { ParserThread } from '../../src/parser-thread.ts';
import type { Digest, Registry, Repository } from '../../src/registry/registry.ts';
import {
  gzipped,
  paxHeader,
  type RawEntry,
  samplePackEntries,
  tarOf,
} from '../support/archives.ts';
import { installed } from '../support/installed.ts';
import { inMemory, type SampleLayer } from '../support/layers.ts';

const MAX_UNPACKED_BYTES = 1024 * 1024;
const parserThread = new ParserThread();
afterAll(() => parserThread[Symbol.asyncDispose]());
const good = samplePackEntries({ name: 'imported' });

const readFrom = (
  source: { registry: Pick<Registry, 'readManifest' | 'readBlob'>; digest: Digest },
  maxUnpackedBytes = MAX_UNPACKED_BYTES,
) =>
  readPackImage(source.registry, 'team/pack' as Repository, source.digest, {
    maxUnpackedBytes,
    parserThread,
  });

const read = (...layers: SampleLayer[]) => readFrom(inMemory(layers));

const found = (name = 'imported') => ({ kind: 'read', metadata: { name } });
const refused = (path: string, message: RegExp) => ({
  kind: 'invalid',
  fields: [{ path, message: expect.stringMatching(message) }],
});
const NO_PACK = refused('imageRef', /without a pack\.yaml/);

test.each<[string, RawEntry[]]>([
  ['as we write it', good],
  ['with a leading ./', good.map((entry) => ({ ...entry, name: `./${entry.name}` }))],
  ['with a leading /', good.map((entry) => ({ ...entry, name: `/${entry.name}` }))],
  [
    'after links, devices, whiteouts and odd names',
    [
      { name: 'bin', type: '2', linkname: 'usr/bin' },
      { name: 'dev/null', type: '3' },
      { name: '.wh.pack.yaml' },
      { name: '../odd', content: 'x' },
      { name: Buffer.from([0xff, 0xfe]), content: 'x' },
      paxHeader({ 'SCHILY.xattr.user.note': 'x' }),
      { name: 'etc/pack.yaml', content: 'name: other' },
      ...good,
    ],
  ],
])('finds pack.yaml %s', async (_what, entries) => {
  const tar = tarOf(entries);
  expect(await read(gzipped(tar))).toMatchObject(found());
  expect(await read(tar)).toMatchObject(found());
  expect(await read(zstdCompressSync(tar))).toMatchObject(found());
});

test('an image without pack.yaml is none of a pack', async () => {
  expect(await read(gzipped(tarOf(good.slice(1))))).toMatchObject(NO_PACK);
  expect(await read(Buffer.alloc(0))).toMatchObject(NO_PACK);
});

test.each<[string, Uint8Array, RegExp]>([
  ['a link', tarOf([{ name: 'pack.yaml', type: '2', linkname: '/etc/passwd' }]), /symbolic link/],
  ['a directory', tarOf([{ name: 'pack.yaml/', type: '5' }]), /directory/],
  ['too large', tarOf([{ name: 'pack.yaml', content: Buffer.alloc(70_000, '#') }]), /larger than/],
  [
    'behind more than may be read',
    gzipped(tarOf([{ name: 'big', content: Buffer.alloc(2_000_000) }, ...good])),
    /more than 1048576/,
  ],
  ['in a truncated layer', gzipped(tarOf(good)).subarray(0, 60), /cut short/],
  ['in a damaged layer', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), /corrupt/],
  ['in damaged zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 4, 5, 6, 7, 8, 9, 10]), /zstd/],
  ['in no tar', Buffer.alloc(2000, 'x'), /no tar archive.*corrupt/],
  ['in a file that is shorter than a header', Buffer.from('name: a\n'), /no tar archive/],
  ['in xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]), /compressed with xz/],
  ['in bzip2', Buffer.from('BZh91AY&SY'), /compressed with bzip2/],
  [
    'in more frames of zstd than a tool writes',
    Buffer.concat(Array(20_001).fill(skippable())),
    /more than 20000 zstd frames/,
  ],
  [
    'in zstd of which the last frame is cut short',
    Buffer.concat([
      zstdCompressSync(tarOf(good).subarray(0, 600)),
      zstdCompressSync(tarOf(good).subarray(600)).subarray(0, -20),
    ]),
    /zstd|middle/,
  ],
])('refuses pack.yaml %s', async (_what, layer, message) => {
  expect(await read(layer)).toMatchObject(refused('pack.yaml', message));
});

test.each([1, 600, 1024])(
  'zstd is read frame by frame (pzstd, zstd:chunked), cut at %i',
  async (at) => {
    const tar = tarOf([{ name: 'data/zeros', content: '\0'.repeat(100_000) }, ...good]);
    const frames = [tar.subarray(0, at), tar.subarray(at, 4096), tar.subarray(4096)];
    const written = frames.flatMap((frame) => [skippable(), zstdCompressSync(frame)]);
    expect(await read(Buffer.concat([...written, skippable()]))).toMatchObject(found());
    expect(await read(Buffer.concat(frames.map((frame) => zstdCompressSync(frame))))).toMatchObject(
      found(),
    );
  },
);

test('problems of the file itself are listed', async () => {
  expect(await read(tarOf([{ name: 'pack.yaml', content: 'name: a' }]))).toMatchObject({
    kind: 'invalid',
    fields: [{ path: 'pack.yaml.version' }, { path: 'pack.yaml.description' }],
  });
});

describe('of several layers', () => {
  const older = tarOf(samplePackEntries({ name: 'older' }));
  const newer = gzipped(tarOf(good));
  const nothing = tarOf([{ name: 'etc/', type: '5' }]);

  test.each<[string, SampleLayer[], object]>([
    ['the uppermost pack.yaml counts', [older, newer, nothing], found()],
    ['whatever they are compressed with', [zstdCompressSync(older), nothing], found('older')],
    [
      'the last of the same name in one layer counts',
      [tarOf([...samplePackEntries({ name: 'older' }), ...good])],
      found(),
    ],
    ['a whiteout removes it', [older, tarOf([{ name: '.wh.pack.yaml' }])], NO_PACK],
    ['an opaque root removes it', [older, tarOf([{ name: '.wh..wh..opq' }])], NO_PACK],
    [
      'neither removes what stands in its own layer',
      [older, tarOf([...good, { name: '.wh..wh..opq' }, { name: '.wh.pack.yaml' }])],
      found(),
    ],
    [
      'a whiteout elsewhere is none of its business',
      [older, tarOf([{ name: 'guides/.wh..wh..opq' }, { name: 'guides/.wh.pack.yaml' }])],
      found('older'),
    ],
    [
      'a link above it takes its place',
      [older, tarOf([{ name: 'pack.yaml', type: '2', linkname: 'x' }])],
      refused('pack.yaml', /symbolic link/),
    ],
    [
      'those that no registry holds are skipped',
      [
        {
          bytes: Buffer.from('not sent'),
          mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
        },
        {
          bytes: Buffer.from('not sent'),
          mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        },
        newer,
      ],
      found(),
    ],
    ['all together are bounded', Array(30).fill(bomb()), refused('pack.yaml', /unpacks to more/)],
  ])('%s', async (_what, layers, expected) => {
    expect(await read(...layers)).toMatchObject(expected);
  });
});

test('files that oras pushed are files by themselves, directories that it packed are layers', async () => {
  const title = 'org.opencontainers.image.title';
  const yaml: SampleLayer = {
    bytes: Buffer.from(String(good[0]?.content)),
    annotations: { [title]: 'pack.yaml' },
  };
  const packed: SampleLayer = {
    bytes: gzipped(tarOf(good)),
    annotations: { [title]: '.', 'io.deis.oras.content.unpack': 'true' },
  };
  expect(await read(yaml)).toMatchObject(found());
  expect(await read(packed)).toMatchObject(found());
  expect(await read({ ...yaml, annotations: { [title]: '../pack.yaml' } })).toMatchObject(NO_PACK);
});

test('an index in an index is read, deeper ones are refused', async () => {
  const layers = [tarOf(good)];
  expect(await readFrom(inMemory(layers, { indexes: 1 }))).toMatchObject(found());
  expect(await readFrom(inMemory(layers, { indexes: 3 }))).toMatchObject(found());
  expect(await readFrom(inMemory(layers, { indexes: 4 }))).toMatchObject(
    refused('imageRef', /indexes within indexes/),
  );
});

test.skipIf(!installed('zstd'))('zstd that wants much memory is refused by name', async () => {
  const tar = tarOf([{ name: 'big', content: Buffer.alloc(40 * 1024 * 1024) }, ...good]);
  const args = ['-q', '-c', '--ultra', '-22', '--long=27'];
  const layer = execFileSync('zstd', args, { input: tar, maxBuffer: 1e9 });
  const answer = await readFrom(inMemory([layer]), 1e9);
  expect(answer).toMatchObject(refused('pack.yaml', /needs more memory/));
});

test('a layer that breaks rejects', async () => {
  const { registry, digest } = inMemory([gzipped(tarOf(good))]);
  const breaking: typeof registry = {
    ...registry,
    readBlob: async () => ({
      kind: 'found',
      content: Readable.from(
        (async function* () {
          yield gzipped(tarOf(good)).subarray(0, 40);
          throw new Error('connection reset');
        })(),
      ),
    }),
  };
  await expect(readFrom({ registry: breaking, digest })).rejects.toThrow('connection reset');
});

/** A skippable frame (RFC 8878, 3.1.2) of four bytes. */
function skippable(): Buffer {
  return Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
}

function bomb(): Buffer {
  return gzipped(tarOf([{ name: 'zeros', content: Buffer.alloc(100_000) }]));
}
