import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lockFile, lockHolder } from '../../../src/data-directory/file-lock.ts';
import { startNode } from '../../support/start-node.ts';
import { MOUNTING, tinyDisk } from '../../support/tiny-disk.ts';
import { temporaryDirectory } from './open-layout.ts';

async function lockPath(): Promise<string> {
  return join(await temporaryDirectory(), 'lock');
}

async function startHolder(path: string) {
  const holder = startNode('test/support/lock-holder.ts', [path]);
  const [line] = await once(createInterface(holder.stdout), 'line');
  return { holder, line };
}

describe('the file lock', () => {
  it('refuses a second process and names the first by its pid', async () => {
    const path = await lockPath();
    const { holder } = await startHolder(path);
    expect(await lockFile(path, { wait: 0 })).toBe('held');
    expect(await lockHolder(path)).toBe(holder.pid);
    expect((await startHolder(path)).line).toBe('held');
    expect(await lockHolder(path)).toBe(holder.pid);
  });

  it('is free once its holder was killed, whatever it left', async () => {
    const path = await lockPath();
    const { holder } = await startHolder(path);
    holder.kill('SIGKILL');
    const lock = await lockFile(path, { wait: 5_000 });
    if (lock === 'held') throw new Error('still held');
    expect(await lockHolder(path)).toBe(process.pid);
    await lock.release();
  });

  it('stays with a holder that is merely frozen', async () => {
    const path = await lockPath();
    const { holder } = await startHolder(path);
    holder.kill('SIGSTOP');
    expect(await lockFile(path, { wait: 300 })).toBe('held');
    holder.kill('SIGCONT');
  });

  it('excludes callers within one process, and each comes in turn', async () => {
    const path = await lockPath();
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const lock = await lockFile(path, { wait: 120_000 });
        if (lock === 'held') throw new Error('waited for nothing');
        most = Math.max(most, ++inside);
        await sleep(2);
        inside--;
        await lock.release();
      }),
    );
    expect(most).toBe(1);
  });

  it('may be released twice without freeing the next holder', async () => {
    const path = await lockPath();
    const first = await lockFile(path, { wait: 0 });
    if (first === 'held') throw new Error('held by nobody');
    await first.release();
    expect(await lockHolder(path)).toBeUndefined();
    const second = await lockFile(path, { wait: 0 });
    await first.release();
    expect(await lockFile(path, { wait: 0 })).toBe('held');
    if (second !== 'held') await second.release();
  });

  it('is refused, not pretended, on a file that may only be read', async (test) => {
    const disk = await tinyDisk();
    if (disk === undefined) return test.skip(MOUNTING);
    const path = join(disk, 'lock');
    const lock = await lockFile(path, { wait: 0 });
    if (lock !== 'held') await lock.release();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await expect(lockFile(path, { wait: 0 })).rejects.toMatchObject({ code: 'EROFS' });
  });

  it('stops waiting when the caller gives up', async () => {
    const path = await lockPath();
    const lock = await lockFile(path, { wait: 0 });
    const signal = AbortSignal.timeout(30);
    await expect(lockFile(path, { wait: 10_000, signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    if (lock !== 'held') await lock.release();
  });
});
