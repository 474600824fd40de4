import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPackArchive } from '../../src/packs/archive/read-archive.ts';
import { ParserThread } from '../../src/parser-thread.ts';
import {
  gzipped,
  paxHeader,
  type RawEntry,
  rawEntry,
  samplePack,
  samplePackEntries,
  tarOf,
} from '../support/archives.ts';

const parserThread = new ParserThread();
afterAll(() => parserThread[Symbol.asyncDispose]());
const LIMITS = { maxArchiveBytes: 1024 * 1024, parserThread };
const good = samplePackEntries();
let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'archive-reading-'));
});
afterEach(() => rm(work, { recursive: true }));

const read = (archive: Uint8Array, limits = LIMITS) =>
  readPackArchive(Readable.from([archive]), limits, work);

const readEntries = (...entries: RawEntry[]) => read(gzipped(tarOf(entries)));

/** The first problem of an archive that must be refused. */
async function problem(archive: Uint8Array, limits = LIMITS) {
  const outcome = await read(archive, limits);
  if (outcome.kind !== 'invalid') throw new Error(`Expected a refusal, got ${outcome.kind}`);
  return outcome.fields[0];
}

describe('what is accepted', () => {
  test('a pack, with its metadata, files, modes and contents', async () => {
    const outcome = await read(samplePack({ name: 'triage', version: '2.1.0' }));
    if (outcome.kind !== 'pack') throw new Error(outcome.kind);
    const { pack } = outcome;
    expect(pack.metadata).toMatchObject({
      name: 'triage',
      version: '2.1.0',
      displayName: 'triage',
    });
    expect(pack.files.map(({ path, executable }) => [path, executable])).toEqual([
      ['pack.yaml', false],
      ['behavior.md', false],
      ['guides/start.md', false],
      ['scripts/run.sh', true],
    ]);
    expect([...pack.directories].sort()).toEqual(['guides', 'scripts']);
    const spool = await readFile(pack.spool, 'utf8');
    const script = pack.files.find(({ path }) => path === 'scripts/run.sh');
    if (script === undefined) throw new Error('no script');
    expect(spool.slice(script.offset, script.offset + script.size)).toBe('#!/bin/sh\n');
  });

  test.each<[string, RawEntry[]]>([
    ['a leading ./', [{ name: './', type: '5' }, ...prefixed('./')]],
    ['one wrapping directory', [{ name: 'my-pack/', type: '5' }, ...prefixed('my-pack/')]],
    ['a wrapping directory that no entry names', prefixed('my-pack/')],
    ['a wrapping directory behind ./', prefixed('./my-pack/')],
    [
      'a global pax comment, as git archive writes it',
      [paxHeader({ comment: 'abc' }, 'g'), ...good],
    ],
  ])('%s', async (_name, entries) => {
    const outcome = await readEntries(...entries);
    if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
    expect(outcome.pack.files.map(({ path }) => path)).toContain('guides/start.md');
  });

  test.each<[string, RawEntry[]]>([
    [
      'of Finder beside a pack',
      [{ name: '._.' }, { name: './._pack.yaml' }, ...good, { name: '.DS_Store' }],
    ],
    [
      'of Finder around a directory',
      [{ name: './._my-pack' }, ...prefixed('./my-pack/'), { name: '__MACOSX/my-pack/._x' }],
    ],
    [
      'of Finder inside',
      [
        ...prefixed('p/'),
        { name: 'p/._guides' },
        { name: 'p/guides/Icon\r' },
        { name: 'p/guides/._Icon\r' },
        { name: 'p/guides/.DS_Store' },
        { name: 'p/guides/._start.md' },
      ],
    ],
    ['of Windows', [...good, { name: 'guides/Thumbs.db' }, { name: 'desktop.ini' }]],
    [
      'that is a link or sparse',
      [
        { name: '._x', type: '2', linkname: '/' },
        { name: '._y', type: 'S', content: 'xyz' },
        ...good,
      ],
    ],
  ])('litter %s is left out', async (_what, entries) => {
    const outcome = await readEntries(...entries);
    if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
    const { files, directories } = outcome.pack;
    expect(files.map(({ path }) => path)).toEqual([
      'pack.yaml',
      'behavior.md',
      'guides/start.md',
      'scripts/run.sh',
    ]);
    expect([...directories].sort()).toEqual(['guides', 'scripts']);
  });

  test.each(['/', './', '.', './.', '//'])('a root entry %j', async (name) => {
    expect((await readEntries({ name, type: '5' }, ...good)).kind).toBe('pack');
  });

  test.each(['data', 'guides'])('a wrapping directory named %s', async (name) => {
    const outcome = await readEntries({ name: `${name}/`, type: '5' }, ...prefixed(`${name}/`));
    if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
    expect(outcome.pack.files.map(({ path }) => path)).toContain('pack.yaml');
  });

  test('pack.yaml as a file of data', async () => {
    const outcome = await readEntries({ name: 'data/pack.yaml', content: 'x' }, ...good);
    if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
    expect(outcome.pack.files.map(({ path }) => path)).toContain('data/pack.yaml');
  });

  test('a tar from before POSIX, and the split names of ustar and star', async () => {
    const field = (at: number, text: string) => (block: Buffer) => block.write(text, at, 'latin1');
    const v7 = field(257, '\0'.repeat(8));
    const ustar = field(345, 'guides/deep');
    const star = (block: Buffer) => {
      block.write('guides/star', 345, 'latin1');
      block.write('0'.repeat(11), 476, 'latin1');
      return block.write('tar\0', 508, 'latin1');
    };
    const outcome = await readEntries(
      ...good.map((entry) => ({ ...entry, header: v7 })),
      { name: 'a.md', content: 'x', header: ustar },
      { name: 'b.md', content: 'x', header: star },
    );
    if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
    expect(outcome.pack.files.map(({ path }) => path).slice(-2)).toEqual([
      'guides/deep/a.md',
      'guides/star/b.md',
    ]);
  });

  test('the extension blocks of a sparse file that is left out', async () => {
    const more = Buffer.alloc(1024);
    more[504] = 1;
    const header = (block: Buffer) => block.writeUInt8(1, 482);
    const sparse = rawEntry({ name: '._s', type: 'S', header });
    const archive = gzipped(Buffer.concat([sparse, more, tarOf(good)]));
    expect((await read(archive)).kind).toBe('pack');
  });

  test('long names by pax and by GNU, and names that are not ASCII', async () => {
    const long = `guides/${'a'.repeat(200)}.md`;
    const gnu = `guides/${'b'.repeat(200)}.md`;
    const outcome = await readEntries(
      ...good,
      paxHeader({ path: long, mtime: '1700000000.5' }),
      { name: 'guides/short', content: 'x' },
      { name: '././@LongLink', type: 'L', content: `${gnu}\0` },
      { name: 'guides/short', content: 'y' },
      { name: 'guides/caf\u0065\u0301.md', content: 'z' },
    );
    if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
    const paths = outcome.pack.files.map(({ path }) => path);
    expect(paths.slice(-3)).toEqual([long, gnu, 'guides/caf\u00e9.md']);
  });

  test("a checksum of signed bytes, as Sun's tar makes it of names that are not ASCII", async () => {
    const entry = rawEntry({ name: 'guides/caf\u00e9.md', content: 'x' });
    const header = entry.subarray(0, 512);
    const signed = new Int8Array(header).fill(0x20, 148, 156).reduce((sum, byte) => sum + byte, 0);
    header.write(`${signed.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    const outcome = await read(gzipped(Buffer.concat([entry, tarOf(good)])));
    if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
    expect(outcome.pack.files[0]?.path).toBe('guides/caf\u00e9.md');
  });

  test('gzip members joined together and zeros after the end, as tools pad', async () => {
    const tar = tarOf(good);
    const members = [
      gzipSync(tar.subarray(0, 700)),
      gzipSync(tar.subarray(700)),
      Buffer.alloc(512),
    ];
    expect(await read(Buffer.concat(members))).toMatchObject({ kind: 'pack' });
  });

  test.each<[string, Uint8Array[]]>([
    ['another pack', [gzipped(Buffer.alloc(1024))]],
    ['another pack in a chunk of its own', [Buffer.alloc(0), gzipped(Buffer.alloc(1024))]],
    ['other bytes', [Buffer.from('more')]],
  ])('but not %s behind such zeros, which would be dropped in silence', async (_what, more) => {
    const [first = Buffer.alloc(0), ...others] = more;
    // What stands in the first chunk is in one piece with the zeros.
    const chunks = [Buffer.concat([samplePack(), Buffer.alloc(10), first]), ...others];
    const outcome = await readPackArchive(Readable.from(chunks), LIMITS, work);
    expect(outcome).toEqual({
      kind: 'invalid',
      fields: [{ path: 'archive', message: expect.stringMatching(/goes on behind zeros/) }],
    });
  });

  test('a tar without its end marker, which some writers leave out', async () => {
    expect(await read(gzipSync(Buffer.concat(good.map(rawEntry))))).toMatchObject({ kind: 'pack' });
  });

  test.each<[string, RawEntry[]]>([
    ['with their directories named', [...good, { name: 'data/', type: '5' }]],
    ['with those only implied', good.filter(({ type }) => type !== '5')],
  ])('exactly 10,000 files, %s', async (_how, entries) => {
    const files = good.filter(({ type }) => type !== '5');
    const outcome = await readEntries(...entries, ...manyFiles(10_000 - files.length));
    expect(outcome.kind).toBe('pack');
  });
});

describe('entries that are refused by name', () => {
  const file = (name: string | Uint8Array): RawEntry => ({ name, content: 'x' });

  test.each<[string, RawEntry[], string, RegExp]>([
    ['another top-level file', [file('README.md')], 'README.md', /not allowed at the top/],
    ['another top-level directory', [file('src/x.ts')], 'src/x.ts', /not allowed at the top/],
    ['a top-level name in the wrong case', [file('Guides/x.md')], 'Guides/x.md', /not allowed/],
    ['pack.yaml as a directory', [file('behavior.md/x')], 'behavior.md/x', /must be a file/],
    ['guides as a file', [file('data')], 'data', /must be a directory/],
    ['a path outside', [file('../etc/passwd')], '../etc/passwd', /outside the pack/],
    ['a hidden path outside', [file('guides/../../x')], 'guides/../../x', /outside the pack/],
    ['an absolute path', [file('/etc/passwd')], '/etc/passwd', /absolute/],
    ['a Windows drive', [file('C:\\x')], 'C:\\x', /absolute/],
    ['a Windows drive with a slash', [file('C:/x')], 'C:/x', /absolute/],
    ['a whiteout', [file('guides/.wh.start.md')], 'guides/.wh.start.md', /begins with "\.wh\."/],
    ['an opaque directory', [file('data/.wh..wh..opq')], 'data/.wh..wh..opq', /begins with/],
    ['a whiteout at the top', [file('.wh.pack.yaml')], '.wh.pack.yaml', /begins with/],
    ['a whiteout of a directory', [file('data/.wh.x/y')], 'data/.wh.x/y', /begins with/],
    ['a backslash', [file('guides\\..\\x')], 'guides\\..\\x', /backslash/],
    ['an empty segment', [file('guides//x')], 'guides//x', /empty/],
    ['a dot segment', [file('guides/./x')], 'guides/./x', /empty/],
    ['an entry without a name', [file('')], '', /no name/],
    [
      'a hard link',
      [{ name: 'guides/l', type: '1', linkname: 'pack.yaml' }],
      'guides/l',
      /hard link.*--hard-dereference/,
    ],
    [
      'a symbolic link',
      [{ name: 'guides/l', type: '2', linkname: '/' }],
      'guides/l',
      /symbolic link.* -h /,
    ],
    ['a link named guides', [{ name: 'data', type: '2', linkname: '/' }], 'data', /symbolic/],
    ['a character device', [{ name: 'data/c', type: '3' }], 'data/c', /character device/],
    ['a block device', [{ name: 'data/b', type: '4' }], 'data/b', /block device/],
    ['a named pipe', [{ name: 'data/p', type: '6' }], 'data/p', /named pipe/],
    ['a GNU sparse file', [{ name: 'data/s', type: 'S' }], 'data/s', /sparse.*without -S/],
    [
      'a pax sparse file',
      [paxHeader({ 'GNU.sparse.major': '1' }), file('data/s')],
      'data/s',
      /sparse/,
    ],
    [
      'a pax sparse file under its own name',
      [
        paxHeader({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'data/real', path: 'data/long' }),
        file('data/GNUSparseFile.7/real'),
      ],
      'data/real',
      /sparse.*--no-read-sparse/,
    ],
    [
      'a sparse file of Solaris',
      [paxHeader({ 'SUN.holesdata': ' 0 1' }), file('data/s')],
      'data/s',
      /sparse/,
    ],
    ['an unknown type', [{ name: 'data/v', type: 'Z' }], 'data/v', /unknown/],
    ['a volume label', [{ name: 'data/v', type: 'V' }], 'data/v', /without -V/],
    ['a duplicate file', [file('guides/start.md')], 'guides/start.md', /duplicate/],
    ['a duplicate directory', [{ name: './guides/', type: '5' }], './guides/', /duplicate/],
    ['a second pack.yaml', [file('./pack.yaml')], './pack.yaml', /duplicate/],
    ['names that differ in case', [file('guides/START.md')], 'guides/START.md', /upper and lower/],
    [
      'a directory that differs in case',
      [file('scripts/A/x'), file('scripts/a/y')],
      'scripts/a/y',
      /upper and lower/,
    ],
    ['NFC and NFD', [file('data/\u00e9'), file('data/e\u0301')], 'data/\u00e9', /duplicate/],
    [
      'a file that is also a directory',
      [file('guides/start.md/x')],
      'guides/start.md/x',
      /at once/,
    ],
    ['a directory that is also a file', [file('data/a/x'), file('data/a')], 'data/a', /at once/],
    ['a control character', [file('data/a\u0007b')], 'data/a\\u0007b', /control character/],
    ['a line break', [file('data/a\nb')], 'data/a\\u000ab', /control character/],
    [
      'a NUL by pax',
      [paxHeader({ path: 'data/a\0b' }), file('data/x')],
      'data/a\\u0000b',
      /control/,
    ],
    ['invalid UTF-8', [file(Buffer.from([0x64, 0xff, 0xfe]))], 'd\ufffd\ufffd', /UTF-8/],
    [
      'a long segment',
      [paxHeader({ path: `data/${'é'.repeat(128)}` }), file('x')],
      `data/${'é'.repeat(128)}`,
      /longer than 255/,
    ],
    [
      'a deep path',
      [paxHeader({ path: `data/${'a/'.repeat(70)}x` }), file('x')],
      `data/${'a/'.repeat(70)}x`,
      /deeper/,
    ],
    [
      'a directory with content',
      [{ name: 'data/', type: '5', content: 'x' }],
      'data/',
      /directory says/,
    ],
  ])('%s', async (_what, entries, name, message) => {
    const found = await problem(gzipped(tarOf([...good, ...entries])));
    expect(found).toEqual({ path: `archive/${name}`, message: expect.stringMatching(message) });
  });

  test('a name longer than 1024 bytes, shortened in the answer', async () => {
    const entries = [...good, paxHeader({ path: `data/${'x/'.repeat(600)}x` }), file('x')];
    const found = await problem(gzipped(tarOf(entries)));
    expect(found?.path).toHaveLength('archive/'.length + 201);
    expect(found?.message).toMatch(/longer than 1024/);
  });

  test('a stray directory before pack.yaml is named, although it looked like a wrapper', async () => {
    const found = await problem(gzipped(tarOf([{ name: 'secrets/', type: '5' }, ...good])));
    expect(found).toEqual({
      path: 'archive/secrets',
      message: expect.stringMatching(/not allowed/),
    });
  });

  test('a second directory beside the wrapper', async () => {
    const found = await problem(gzipped(tarOf([...prefixed('my-pack/'), file('other/x')])));
    expect(found?.path).toBe('archive/other/x');
  });

  test('another top-level entry inside the wrapper', async () => {
    const found = await problem(gzipped(tarOf([...prefixed('my-pack/'), file('my-pack/.git/x')])));
    expect(found?.path).toBe('archive/my-pack/.git/x');
  });
});

describe('archives that are refused as a whole', () => {
  const tar = tarOf(good);

  test.each<[string, Uint8Array, string, RegExp]>([
    ['an empty upload', Buffer.alloc(0), 'archive', /empty.*tar -czf/],
    ['a tar without gzip', tar, 'archive', /not a \.tar\.gz.*tar -czf/],
    ['a zip', Buffer.from('PK\x03\x04zip'), 'archive', /not a \.tar\.gz/],
    ['one byte of gzip', Buffer.from([0x1f]), 'archive', /cut short/],
    [
      'gzip of something else',
      gzipSync(Buffer.alloc(2000, 'text ')),
      'archive',
      /no tar in it.*corrupt tar header.*gzipped twice\?.*tar -czf/,
    ],
    ['a short text in gzip', gzipSync('hello'), 'archive', /no tar in it.*middle of a header/],
    ['an archive gzipped twice', gzipSync(samplePack()), 'archive', /gzipped twice\?/],
    ['a truncated gzip', gzipSync(tar).subarray(0, -9), 'archive', /cut short/],
    [
      'garbage after gzip',
      Buffer.concat([gzipSync(tar), Buffer.from('garbage')]),
      'archive',
      /corrupt/,
    ],
    ['a wrong gzip checksum', wrongTrailer(tar), 'archive', /corrupt/],
    ['no pack.yaml', gzipped(tarOf(good.slice(1))), 'pack.yaml', /missing/],
    ['no entries', gzipped(tarOf([])), 'pack.yaml', /missing/],
    [
      'two tars joined',
      gzipSync(Buffer.concat([tar, tar])),
      'archive/scripts/run.sh',
      /end marker/,
    ],
    [
      'a tar cut in an entry',
      gzipSync(tar.subarray(0, 800)),
      'archive/pack.yaml',
      /middle of an entry/,
    ],
    [
      'a tar cut in a header',
      gzipSync(tar.subarray(0, 1200)),
      'archive/pack.yaml',
      /middle of a header/,
    ],
  ])('%s', async (_what, archive, path, message) => {
    expect(await problem(archive)).toEqual({ path, message: expect.stringMatching(message) });
  });

  test.each<[string, RawEntry]>([
    ['negative', { name: 'data/n', sizeField: Buffer.alloc(12, 0xff) }],
    ['beyond 2^53', { name: 'data/n', sizeField: Buffer.alloc(12, 0x80).fill(0x7f, 1) }],
    ['not octal', { name: 'data/n', sizeField: Buffer.from('00000000-1 \0') }],
  ])('a size that is %s', async (_what, entry) => {
    const found = await problem(gzipped(tarOf([...good, entry])));
    expect(found).toEqual({
      path: 'archive/scripts/run.sh',
      message: expect.stringMatching(/corrupt tar header \(in or after this entry\)/),
    });
  });

  test('a base-256 size is read', async () => {
    const sizeField = Buffer.alloc(12).fill(0x80, 0, 1).fill(1, 11);
    expect(await readEntries(...good, { name: 'data/n', content: 'x', sizeField })).toMatchObject({
      kind: 'pack',
    });
  });

  test.each<[string, RawEntry[]]>([
    ['a huge pax header', [paxHeader({ comment: 'x'.repeat(300_000) })]],
    ['a pax header whose size lies', [{ name: 'p', type: 'x', size: 1e9 }]],
    ['a chain of pax headers', Array.from({ length: 9 }, () => paxHeader({ comment: 'x' }))],
    ['a malformed pax record', [{ name: 'p', type: 'x', content: '-5 path=guides/x\n' }]],
    ['a pax size that is no number', [paxHeader({ size: '-1' })]],
    ['a global header of a sparse file', [paxHeader({ 'GNU.sparse.major': '1' }, 'g')]],
    ['a global header that renames', [paxHeader({ path: 'guides/x' }, 'g')]],
    ['a huge GNU long name', [{ name: 'l', type: 'L', content: Buffer.alloc(300_000, 'x') }]],
  ])('%s', async (_what, headers) => {
    const found = await problem(gzipped(tarOf([...good, ...headers, { name: 'data/x' }])));
    expect(found?.path).toBe('archive/scripts/run.sh');
  });

  test('pax records beyond number', async () => {
    const records = { name: 'p', type: 'x', content: '5 a=\n'.repeat(50_000) };
    const entries = Array.from({ length: 4 }, (_, at) => [records, { name: `data/${at}` }]).flat();
    const found = await problem(gzipped(tarOf([...good, ...entries])), {
      ...LIMITS,
      maxArchiveBytes: 4 * LIMITS.maxArchiveBytes,
    });
    expect(found).toEqual({
      path: 'archive/data/2',
      message: expect.stringMatching(/pax records/),
    });
  });

  test('pack.yaml larger than 64 KiB', async () => {
    const found = await problem(
      gzipped(tarOf([{ name: 'pack.yaml', content: Buffer.alloc(65_537, '#') }])),
    );
    expect(found).toEqual({ path: 'archive/pack.yaml', message: 'is larger than 65536 bytes' });
  });

  test('every problem of pack.yaml at once', async () => {
    const outcome = await read(samplePack({ name: 'No Slug', version: 'v1' }));
    expect(outcome).toMatchObject({
      kind: 'invalid',
      fields: [{ path: 'pack.yaml.name' }, { path: 'pack.yaml.version' }],
    });
  });
});

describe('the source', () => {
  test('an upload that breaks off rejects, since it is no fault of the archive', async () => {
    const source = Readable.from(
      (async function* () {
        yield samplePack().subarray(0, 100);
        throw new Error('the client hung up');
      })(),
    );
    await expect(readPackArchive(source, LIMITS, work)).rejects.toThrow('the client hung up');
  });

  test('is destroyed at the first refusal, however much is left', async () => {
    let sent = 0;
    const source = Readable.from(
      (async function* () {
        for (;;) {
          sent += 1;
          yield Buffer.from('no gzip at all');
        }
      })(),
    );
    expect((await readPackArchive(source, LIMITS, work)).kind).toBe('invalid');
    expect(source.destroyed).toBe(true);
    expect(sent).toBeLessThan(100);
  });
});

function prefixed(prefix: string): RawEntry[] {
  return good.map((entry) => ({ ...entry, name: `${prefix}${entry.name}` }));
}

function manyFiles(count: number): RawEntry[] {
  return Array.from({ length: count }, (_, at) => ({ name: `data/${at}` }));
}

function wrongTrailer(tar: Uint8Array): Buffer {
  const archive = gzipSync(tar);
  archive.writeUInt32LE(crc32(tar) ^ 1, archive.length - 8);
  return archive;
}
