import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPackArchive, readPackTar } from '../../src/packs/archive/read-archive.ts';
import { ParserThread } from '../../src/parser-thread.ts';
import { gzipped, rawEntry, samplePack, samplePackEntries, tarOf } from '../support/archives.ts';
import { isSweep } from '../support/extent.ts';

const MIB = 1024 * 1024;
const SRC = new URL('../../src/packs/archive/', import.meta.url).href;
const good = samplePackEntries();
let work: string;
const parserThread = new ParserThread();
afterAll(() => parserThread[Symbol.asyncDispose]());

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'archive-hostile-'));
});
afterEach(() => rm(work, { recursive: true }));

const read = (archive: Readable, maxArchiveBytes: number) =>
  readPackArchive(archive, { maxArchiveBytes, parserThread }, work);

describe('size', () => {
  test('a compressed stream over the limit is too large, wherever the pack ended', async () => {
    const archive = samplePack();
    expect(await read(Readable.from([archive]), archive.length)).toMatchObject({ kind: 'pack' });
    await rm(join(work, 'contents'));
    const short = { kind: 'too_large', limit: archive.length - 1 };
    expect(await read(Readable.from([archive]), archive.length - 1)).toEqual(short);
  });

  test('endless zeros after a good archive', async () => {
    const endless = Readable.from(
      (async function* () {
        yield samplePack();
        for (;;) yield Buffer.alloc(65_536);
      })(),
    );
    expect(await read(endless, MIB)).toEqual({ kind: 'too_large', limit: MIB });
  });

  test('an entry that unpacks to too much is refused by its header, before a byte is written', async () => {
    const bomb = { name: 'data/bomb', content: Buffer.alloc(5 * MIB) };
    const archive = gzipped(tarOf([...good, bomb]));
    expect(archive.length * 900).toBeLessThan(5 * MIB);
    expect(await read(Readable.from([archive]), MIB)).toEqual({
      kind: 'invalid',
      fields: [
        {
          path: 'archive/data/bomb',
          message: 'with this entry the archive unpacks to more than 4194304 bytes',
        },
      ],
    });
    expect((await stat(join(work, 'contents'))).size).toBeLessThan(1000);
  });

  test('many entries that unpack to too much together name the first too many', async () => {
    const parts = Array.from({ length: 8 }, (_, at) => ({
      name: `data/${at}`,
      content: Buffer.alloc(MIB),
    }));
    const outcome = await read(Readable.from([gzipped(tarOf([...good, ...parts]))]), MIB);
    expect(outcome).toMatchObject({ kind: 'invalid', fields: [{ path: 'archive/data/3' }] });
  });

  test('a gzip bomb after the end marker stops early', async () => {
    let produced = 0;
    const source = Readable.from(
      (async function* () {
        yield tarOf(good);
        for (;;) {
          produced += 1;
          yield Buffer.alloc(MIB);
        }
      })(),
    ).pipe(createGzip());
    const outcome = await read(source, MIB);
    expect(outcome).toMatchObject({ kind: 'invalid', fields: [{ path: 'archive' }] });
    // 4 MiB of contents, 80 MiB for headers, and what the gzip here had made ahead of us at 1:1000.
    expect(produced).toBeLessThan(200);
  });

  test('of a million files 10,001 are read', async () => {
    let produced = 0;
    const source = Readable.from(
      (async function* () {
        yield Buffer.concat(good.map(rawEntry));
        for (; produced < 1_000_000; produced += 100) {
          const names = Array.from({ length: 100 }, (_, at) => `data/${produced + at}`);
          yield Buffer.concat(names.map((name) => rawEntry({ name })));
        }
      })(),
    ).pipe(createGzip({ level: 1 }));
    const outcome = await read(source, 64 * MIB);
    expect(outcome).toEqual({
      kind: 'invalid',
      fields: [
        {
          // guides/ is around another.
          path: `archive/data/${10_000 - (good.length - 1)}`,
          message: 'the archive has more than 10000 entries; this is the first too many',
        },
      ],
    });
    // What the gzip had ahead of us compresses well.
    expect(produced).toBeLessThan(60_000);
  });

  test('of a million directories no more, and none of an endless root', async () => {
    for (const name of ['data/', './']) {
      const entries = (at: number) => ({ name: name === './' ? name : `${name}${at}/`, type: '5' });
      const many = Array.from({ length: 30_000 }, (_, at) => rawEntry(entries(at)));
      const outcome = await read(Readable.from([gzipped(Buffer.concat(many), 1)]), MIB);
      expect(outcome).toMatchObject({
        kind: 'invalid',
        fields: [{ message: expect.stringMatching(/the archive has more than [12]0000 entries/) }],
      });
      await rm(join(work, 'contents'));
    }
  });

  test('names that add up to more than memory should hold', async () => {
    const name = `data/${`${'d'.repeat(99)}/`.repeat(8)}`;
    const long = Array.from({ length: 6000 }, (_, at) => [
      { name: 'L', type: 'L', content: `${name}${at}` },
      { name: 'x' },
    ]);
    const outcome = await read(Readable.from([gzipped(tarOf([...good, ...long.flat()]))]), MIB);
    expect(outcome).toMatchObject({
      kind: 'invalid',
      fields: [{ message: expect.stringMatching(/longer than 4000000 characters/) }],
    });
  });

  test('names that are padded to more than memory should hold', async () => {
    const padded = Array.from({ length: 9000 }, (_, at) => [
      { name: 'L', type: 'L', content: `${'./'.repeat(500)}data/${at}` },
      { name: 'x' },
    ]);
    const outcome = await read(Readable.from([gzipped(tarOf([...good, ...padded.flat()]))]), MIB);
    expect(outcome).toMatchObject({
      kind: 'invalid',
      fields: [{ message: expect.stringMatching(/longer than 4000000 characters/) }],
    });
  });

  test('deep paths that imply more directories than memory should hold', async () => {
    const deep = Array.from({ length: 2000 }, (_, at) => ({
      name: `data/${at}/${'d/'.repeat(40)}x`,
    }));
    const outcome = await read(Readable.from([gzipped(tarOf([...good, ...deep]))]), MIB);
    expect(outcome).toMatchObject({
      kind: 'invalid',
      fields: [
        { path: expect.stringMatching(/^archive\/data\/2\d\d\//), message: 'too many directories' },
      ],
    });
  });
});

test('a tar of ten thousand empty files that is made here leaves others their turns', async () => {
  const names = Array.from({ length: 9_000 }, (_, at) => ({ name: `data/${at}` }));
  let inThisTurn = 0;
  let most = 0;
  let isOver = false;
  const nextTurn = () => {
    inThisTurn = 0;
    if (!isOver) setImmediate(nextTurn);
  };
  nextTurn();
  const tar = async function* () {
    for (const entry of [...good, ...names]) {
      inThisTurn += 1;
      most = Math.max(most, inThisTurn);
      yield rawEntry(entry);
    }
    yield Buffer.alloc(1024);
  };
  const options = { maxArchiveBytes: MIB, parserThread };
  const source = Readable.from(tar(), { objectMode: false });
  const outcome = await readPackTar(source, options, work);
  isOver = true;
  expect(outcome.kind).toBe('pack');
  expect(most).toBeLessThan(1_000);
});

const LARGE = isSweep ? 64 : 24;

test(`eight archives of ${LARGE} MiB at once take little memory`, async () => {
  const script = `
    import { randomFillSync } from 'node:crypto';
    import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
    import { pipeline } from 'node:stream/promises';
    import { createGzip } from 'node:zlib';
    import { buildPackImage } from '${SRC}build-image.ts';
    import { readPackArchive } from '${SRC}read-archive.ts';
    import { ParserThread } from '${new URL('../../src/parser-thread.ts', import.meta.url).href}';
    import { rawEntry, samplePackEntries } from '${new URL('../support/archives.ts', import.meta.url).href}';
    const work = ${JSON.stringify(work)};
    const size = ${LARGE - 4} * ${MIB};
    const parserThread = new ParserThread();
    await pipeline(async function* () {
      for (const entry of samplePackEntries()) yield rawEntry(entry);
      yield rawEntry({ name: 'data/big', size });
      for (let at = 0; at < size; at += 65536) yield randomFillSync(Buffer.alloc(65536));
      yield Buffer.alloc(1024);
    }, createGzip({ level: 0 }), createWriteStream(work + '/big.tar.gz'));
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 5);
    const read = async (at) => {
      mkdirSync(work + '/' + at);
      const source = createReadStream(work + '/big.tar.gz');
      const options = { maxArchiveBytes: ${LARGE} * ${MIB}, parserThread };
      const outcome = await readPackArchive(source, options, work + '/' + at);
      if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
      return outcome.pack;
    };
    const packs = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(read));
    const image = await buildPackImage(packs[0], work);
    clearInterval(watch);
    console.log(JSON.stringify({ grown: peak - before, size: image.sizeBytes }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
  ]);
  const report: unknown = JSON.parse(stdout);
  const { grown, size } = Object(report);
  expect(size).toBeGreaterThan((LARGE - 4) * MIB);
  // The archives alone are 480 MiB, or 160 where they are only tried.
  expect(grown).toBeLessThan(100 * MIB);
});

describe('damaged archives always come to an end', () => {
  const ROUNDS = isSweep ? 600 : 120;
  const step = isSweep ? 1 : 5;

  // A fixed linear congruential generator: a failure can be repeated.
  let seed = 20_240_601;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % below;
  };
  const archive = samplePack({ files: { 'data/blob': Buffer.alloc(3000, 'pack ') } });
  const tar = tarOf(samplePackEntries({ files: { 'data/blob': Buffer.alloc(3000, 'pack ') } }));

  const settles = async (damaged: Uint8Array): Promise<void> => {
    const chunk = 1 + random(4096);
    const chunks = Array.from({ length: Math.ceil(damaged.length / chunk) }, (_, at) =>
      damaged.subarray(at * chunk, (at + 1) * chunk),
    );
    const outcome = await read(Readable.from(chunks), MIB);
    expect(['pack', 'invalid', 'too_large']).toContain(outcome.kind);
    await rm(join(work, 'contents'));
  };

  const flipped = (bytes: Uint8Array, flips: number): Buffer => {
    const damaged = Buffer.from(bytes);
    for (let flip = 0; flip < flips; flip += 1) {
      const at = random(damaged.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << random(8));
    }
    return damaged;
  };

  test('cut anywhere', async () => {
    for (let at = 0; at < archive.length; at += step) await settles(archive.subarray(0, at));
  });

  test('flipped bits in the gzip stream', async () => {
    for (let round = 0; round < ROUNDS; round += 1) await settles(flipped(archive, 1 + random(4)));
  });

  test('flipped bits in the tar, its checksums mended', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await settles(gzipSync(mended(flipped(tar, 1 + random(8)))));
    }
  });

  test('a tar cut anywhere', async () => {
    for (let at = 0; at < tar.length; at += 97 * step) await settles(gzipSync(tar.subarray(0, at)));
  });
});

/** Gives every block that was a header its checksum again, so that damage is not seen by that alone. */
function mended(tar: Buffer): Buffer {
  for (let at = 0; at < tar.length; at += 512) {
    const block = tar.subarray(at, at + 512);
    if (block.toString('latin1', 257, 262) !== 'ustar') continue;
    block.fill(' ', 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return tar;
}
