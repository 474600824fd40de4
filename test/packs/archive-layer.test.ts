import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readPackYamlFromLayer } from '../../src/packs/archive/read-layer.ts';
import {
  gzipped,
  paxHeader,
  type RawEntry,
  samplePackEntries,
  tarOf,
} from '../support/archives.ts';

const LIMITS = { maxUnpackedBytes: 1024 * 1024 };
const good = samplePackEntries({ name: 'imported' });

const read = (layer: Uint8Array, limits = LIMITS) =>
  readPackYamlFromLayer(Readable.from([layer]), limits);

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
      paxHeader({ 'SCHILY.xattr.user.note': 'x' }),
      { name: 'etc/pack.yaml', content: 'name: other' },
      ...good,
    ],
  ],
])('finds pack.yaml %s', async (_what, entries) => {
  const tar = tarOf(entries);
  const found = { kind: 'valid', metadata: { name: 'imported' } };
  expect(await read(gzipped(tar))).toMatchObject(found);
  expect(await read(tar)).toMatchObject(found);
});

test('a layer without pack.yaml is no error', async () => {
  expect(await read(gzipped(tarOf(good.slice(1))))).toMatchObject({ kind: 'missing' });
  expect(await read(Buffer.alloc(0))).toMatchObject({ kind: 'missing' });
});

test.each<[string, Uint8Array, RegExp]>([
  ['a link', tarOf([{ name: 'pack.yaml', type: '2', linkname: '/etc/passwd' }]), /symbolic link/],
  ['too large', tarOf([{ name: 'pack.yaml', content: Buffer.alloc(70_000, '#') }]), /larger than/],
  [
    'behind more than may be read',
    gzipped(tarOf([{ name: 'big', content: Buffer.alloc(2_000_000) }, ...good])),
    /more than 1048576/,
  ],
  ['in a truncated layer', gzipped(tarOf(good)).subarray(0, 60), /cut short/],
  ['in a damaged layer', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), /corrupt/],
  ['in no tar', Buffer.alloc(2000, 'x'), /corrupt tar header/],
])('refuses pack.yaml %s', async (_what, layer, message) => {
  expect(await read(layer)).toEqual({
    kind: 'invalid',
    fields: [{ path: 'pack.yaml', message: expect.stringMatching(message) }],
  });
});

test('problems of the file itself are listed', async () => {
  expect(await read(tarOf([{ name: 'pack.yaml', content: 'name: a' }]))).toMatchObject({
    kind: 'invalid',
    fields: [{ path: 'pack.yaml.version' }, { path: 'pack.yaml.description' }],
  });
});

test('stops at pack.yaml and destroys the layer', async () => {
  const layer = Readable.from(
    (async function* () {
      yield tarOf(good).subarray(0, 2048);
      for (;;) yield Buffer.alloc(65_536);
    })(),
  );
  expect((await readPackYamlFromLayer(layer, LIMITS)).kind).toBe('valid');
  expect(layer.destroyed).toBe(true);
});

test('a layer that breaks rejects', async () => {
  const layer = Readable.from(
    (async function* () {
      yield gzipped(tarOf(good)).subarray(0, 40);
      throw new Error('connection reset');
    })(),
  );
  await expect(readPackYamlFromLayer(layer, LIMITS)).rejects.toThrow('connection reset');
});
