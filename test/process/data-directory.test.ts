/** The data directory, as its operator finds it and as the service leaves it. */
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keepPrivate } from '../../src/data-directory/keep-private.ts';
import { lockDataDirectory } from '../../src/data-directory/lock-data-directory.ts';
import { temporaryDirectory } from './run.ts';

test('what lies in the data directory is for this user alone, what an earlier start left included', async () => {
  keepUmask();
  const directory = join(temporaryDirectory(), 'data');
  mkdirSync(join(directory, 'registry'), { recursive: true });
  writeFileSync(join(directory, 'registry', 'old'), '');
  for (const path of ['', 'registry']) chmodSync(join(directory, path), 0o755);
  chmodSync(join(directory, 'registry', 'old'), 0o644);
  await keepPrivate(embeddedIn(directory), () => undefined);
  writeFileSync(join(directory, 'registry', 'new'), '');
  mkdirSync(join(directory, 'db'));
  for (const name of ['.', ...readdirSync(directory, { recursive: true })]) {
    expect(statSync(join(directory, String(name))).mode & 0o077, String(name)).toBe(0);
  }
});

describe('a directory that belongs to another user', () => {
  const SOMEBODY = 1000;
  const NOT_ROOT = 'needs to be root, to give a directory to somebody';

  /** A directory of root's, such as a volume is that is mounted for a group; from here on this process is not root. */
  function ofRoot(mode: number): string {
    const directory = temporaryDirectory();
    chownSync(directory, 0, SOMEBODY);
    chmodSync(directory, mode);
    process.setegid?.(SOMEBODY);
    process.seteuid?.(SOMEBODY);
    onTestFinished(() => {
      process.seteuid?.(0);
      process.setegid?.(0);
    });
    return directory;
  }

  test.for(['2777', '1777', '775'])(
    'of mode %s is used, and the operator is warned',
    async (mode, context) => {
      if (process.getuid?.() !== 0) return context.skip(NOT_ROOT);
      keepUmask();
      const directory = ofRoot(Number.parseInt(mode, 8));
      const warnings: string[] = [];
      await keepPrivate(embeddedIn(directory), (message) => warnings.push(message));
      const lock = await lockDataDirectory(directory);
      expect(warnings).toEqual([expect.stringContaining(`others may look into ${directory}`)]);
      expect(statSync(join(directory, 'lock')).mode & 0o077).toBe(0);
      await lock.release();
    },
  );

  test('that he cannot write is refused by its variable', async (context) => {
    if (process.getuid?.() !== 0) return context.skip(NOT_ROOT);
    keepUmask();
    const directory = ofRoot(0o755);
    await keepPrivate(embeddedIn(directory), () => undefined);
    await expect(lockDataDirectory(directory)).rejects.toThrow(
      new RegExp(`^DATA_DIR: ${directory} cannot be written`),
    );
  });

  test('is no concern of a service that keeps nothing in it', async (context) => {
    if (process.getuid?.() !== 0) return context.skip(NOT_ROOT);
    keepUmask();
    const directory = ofRoot(0o2777);
    const elsewhere = {
      ...embeddedIn(directory),
      databaseUrl: 'postgres://h/db',
      registry: { url: new URL('http://registry') },
    };
    await keepPrivate(elsewhere, (message) => expect.unreachable(message));
  });
});

const embeddedIn = (dataDirectory: string) =>
  ({ dataDirectory, databaseUrl: null, registry: { url: null } }) as const;

/** What a process keeps from others for as long as it lives, this one must not keep from those of other tests. */
function keepUmask(): void {
  const umask = process.umask();
  onTestFinished(() => void process.umask(umask));
}
