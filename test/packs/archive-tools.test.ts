/** Archives of one pack directory as the tools that people have make them. */
import { execFile } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackImage } from '../../src/packs/archive/build-image.ts';
import { readPackArchive } from '../../src/packs/archive/read-archive.ts';
import { ParserThread } from '../../src/parser-thread.ts';
import { installed } from '../support/installed.ts';

const run = promisify(execFile);
const PACK = 'incident-triage';
const YAML = `name: ${PACK}\nversion: 1.0.0\ndescription: A pack.\n`;
const files: Readonly<Record<string, string>> = {
  'pack.yaml': YAML,
  'behavior.md': '# Behave\n',
  'guides/first steps.md': '# Start\n',
  'guides/日本語/café.md': 'text',
  [`data/${'deep/'.repeat(12)}${'long'.repeat(30)}.txt`]: 'x'.repeat(70_000),
  'data/empty.txt': '',
  'scripts/run.sh': '#!/bin/sh\n',
};
const parserThread = new ParserThread();
let home: string;
let archives = 0;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'archive-tools-'));
  for (const [path, content] of Object.entries(files)) await put(home, path, content);
  await chmod(join(home, PACK, 'scripts/run.sh'), 0o755);
  for (const litter of ['.DS_Store', 'guides/._first steps.md', 'data/Thumbs.db']) {
    await put(home, litter, 'litter');
  }
});
afterAll(async () => {
  await parserThread[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

async function put(base: string, path: string, content: string): Promise<void> {
  const full = join(base, PACK, path);
  await mkdir(join(full, '..'), { recursive: true });
  await writeFile(full, content, { mode: 0o644 });
}

/** Runs a shell command that writes the archive `$OUT`, in `directory`. */
async function make(command: string, directory = home): Promise<Buffer> {
  archives += 1;
  const out = join(home, `${archives}.tar.gz`);
  const env = { PATH: process.env.PATH ?? '', HOME: home, OUT: out, PACK, LC_ALL: 'C.UTF-8' };
  await run('sh', ['-ec', command], { cwd: directory, env });
  return readFile(out);
}

async function outcomeOf(archive: Uint8Array) {
  archives += 1;
  const work = join(home, `work-${archives}`);
  await mkdir(work);
  const options = { maxArchiveBytes: 1024 ** 2, parserThread };
  return { work, outcome: await readPackArchive(Readable.from([archive]), options, work) };
}

async function digestOf(archive: Uint8Array): Promise<string> {
  const { work, outcome } = await outcomeOf(archive);
  if (outcome.kind !== 'pack') throw new Error(JSON.stringify(outcome));
  return (await buildPackImage(outcome.pack, work)).descriptor.digest;
}

const python = (body: string) =>
  `python3 -c 'import os, tarfile
with tarfile.open(os.environ["OUT"], "w:gz"${body}'`;

test.each<[string, string, string]>([
  ['GNU tar, the directory', 'tar', 'tar -czf "$OUT" $PACK'],
  ['GNU tar, inside the directory', 'tar', 'tar -C $PACK -czf "$OUT" .'],
  ['GNU tar, by name', 'tar', 'cd $PACK; tar -czf "$OUT" -- *'],
  ['GNU tar, pax', 'tar', 'tar --format=posix --xattrs -czf "$OUT" $PACK'],
  ['GNU tar, oldgnu', 'tar', 'tar --format=oldgnu -czf "$OUT" $PACK'],
  ['GNU tar, large blocks', 'tar', 'tar -b 200 -czf "$OUT" $PACK'],
  [
    'GNU tar, sorted and anonymous',
    'tar',
    'tar --sort=name --owner=0 --mtime=@0 -czf "$OUT" $PACK',
  ],
  ['bsdtar', 'bsdtar', 'bsdtar -czf "$OUT" $PACK'],
  ['bsdtar, inside the directory', 'bsdtar', 'bsdtar -C $PACK -czf "$OUT" .'],
  ['bsdtar, pax', 'bsdtar', 'bsdtar --format=pax -czf "$OUT" $PACK'],
  ['bsdtar, gnutar', 'bsdtar', 'bsdtar --format=gnutar -czf "$OUT" $PACK'],
  ['Python', 'python3', python(') as t: t.add(os.environ["PACK"])')],
  ['Python, arcname=""', 'python3', python(') as t: t.add(os.environ["PACK"], arcname="")')],
  ['Python, arcname="/"', 'python3', python(') as t: t.add(os.environ["PACK"], arcname="/")')],
  [
    'Python, GNU',
    'python3',
    python(', format=tarfile.GNU_FORMAT) as t: t.add(os.environ["PACK"])'),
  ],
  ['busybox', 'busybox', 'busybox tar -czf "$OUT" $PACK'],
  ['busybox, inside the directory', 'busybox', 'busybox tar -C $PACK -czf "$OUT" .'],
  [
    '7z',
    '7z',
    'rm -f p.tar; 7z a -ttar p.tar $PACK >/dev/null; 7z a -tgzip "$OUT" p.tar >/dev/null',
  ],
  [
    '7z, inside the directory',
    '7z',
    'cd $PACK; 7z a -ttar ../i.tar . >/dev/null; 7z a -tgzip "$OUT" ../i.tar >/dev/null',
  ],
  [
    'git archive',
    'git',
    `rm -rf repository; cp -R $PACK repository; cd repository; git init -q; git add -A
     git -c user.name=a -c user.email=a@b commit -qm x; git archive --format=tar.gz -o "$OUT" HEAD`,
  ],
  [
    'git archive, with a prefix',
    'git',
    `rm -rf prefixed; cp -R $PACK prefixed; cd prefixed; git init -q; git add -A
     git -c user.name=a -c user.email=a@b commit -qm x
     git archive --format=tar.gz --prefix=$PACK-1.0.0/ -o "$OUT" HEAD`,
  ],
])('%s makes the same image', async (_what, tool, command) => {
  if (!installed(tool)) return;
  const plain = gzipSync(await make('tar --format=posix -cf "$OUT" -C $PACK .'));
  expect(await digestOf(await make(command))).toBe(await digestOf(plain));
});

describe('what no pack may have is refused under its name, with the option that avoids it', () => {
  let odd: string;
  const data = () => join(odd, PACK, 'data');

  beforeAll(async () => {
    odd = await mkdtemp(join(tmpdir(), 'archive-odd-'));
  });
  afterAll(() => rm(odd, { recursive: true }));

  async function oddPack(add: () => Promise<unknown>): Promise<void> {
    await rm(join(odd, PACK), { recursive: true, force: true });
    await put(odd, 'pack.yaml', YAML);
    await put(odd, 'data/one', 'x');
    await add();
  }

  async function refusal(command: string) {
    const { outcome } = await outcomeOf(await make(command, odd));
    return outcome.kind === 'invalid' ? outcome.fields[0] : outcome.kind;
  }

  test.each([
    ['tar', 'tar --format=gnu -S -czf'],
    ['tar', 'tar --format=posix --sparse-version=0.0 -S -czf'],
    ['tar', 'tar --format=posix --sparse-version=0.1 -S -czf'],
    ['tar', 'tar --format=posix --sparse-version=1.0 -S -czf'],
    ['bsdtar', 'bsdtar --format=pax -czf'],
  ])('a sparse file of %s: %s', async (tool, command) => {
    if (!installed(tool)) return;
    await oddPack(async () => {
      await writeFile(join(data(), 'db.sqlite'), 'x');
      await truncate(join(data(), 'db.sqlite'), 3_000_000);
    });
    expect(await refusal(`${command} "$OUT" $PACK`)).toEqual({
      path: `archive/${PACK}/data/db.sqlite`,
      message: expect.stringMatching(/sparse file.*without -S.*--no-read-sparse/),
    });
    const avoided = command
      .replace(/ -S| --sparse-version=\S*/g, '')
      .replace('bsdtar', 'bsdtar --no-read-sparse');
    expect(await refusal(`${avoided} "$OUT" $PACK`)).toBe('pack');
  });

  test.each<[string, RegExp]>([
    ['-V label', /a volume label.*without -V/],
    ['-g "$OUT.snar"', /incremental backup.*without -g/],
  ])('what tar %s adds is refused with the option to leave out', async (option, message) => {
    if (!installed('tar')) return;
    await oddPack(async () => undefined);
    expect(await refusal(`tar ${option} -czf "$OUT" $PACK`)).toEqual({
      path: expect.stringContaining('archive/'),
      message: expect.stringMatching(message),
    });
    expect(await refusal(`tar -czf "$OUT" $PACK`)).toBe('pack');
  });

  test.each<[string, string, string, RegExp]>([
    ['tar', 'tar -czf', 'tar --hard-dereference -czf', /hard link.*--hard-dereference/],
    ['tar', 'tar -czf', 'tar -h --hard-dereference -czf', /symbolic link.*-h \(--dereference\)/],
    ['bsdtar', 'bsdtar -czf', 'bsdtar -h -czf', /symbolic link.*-h \(--dereference\)/],
    ['busybox', 'busybox tar -czf', 'busybox tar -h -czf', /symbolic link.*-h \(--dereference\)/],
  ])('a link of %s: %s', async (tool, command, avoided, message) => {
    if (!installed(tool)) return;
    const make = message.source.startsWith('hard') ? link : symlink;
    await oddPack(() => make(join(data(), 'one'), join(data(), 'two')));
    expect(await refusal(`${command} "$OUT" $PACK`)).toEqual({
      path: expect.stringMatching(`^archive/${PACK}/data/(one|two)$`),
      message: expect.stringMatching(message),
    });
    expect(await refusal(`${avoided} "$OUT" $PACK`)).toBe('pack');
  });
});
