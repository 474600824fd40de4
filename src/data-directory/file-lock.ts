/**
 * An exclusive lock between processes, held on a file and freed by the kernel.
 *
 * Node has no `flock`, but its built-in SQLite takes POSIX record locks (`LockFileEx` on Windows). An open
 * `BEGIN IMMEDIATE` on an empty database is such a lock and, with its journal in memory, writes not a byte, so it
 * works on a full disk.
 * A lock of the kernel needs no guess about who is alive: it ends with its process however that dies, stays
 * with one that is merely frozen, cannot be fooled by a reused pid, and holds between containers with pid
 * namespaces of their own. A pid file would need all of that guessed; a heartbeat loses a frozen holder.
 *
 * Limits: on a network file system it is as good as that system's own locks. Never delete a lock file that
 * may be in use, and never open it by other means inside the holding process: POSIX drops all locks of a
 * process on a file when the process closes any descriptor of it.
 */
import { access, constants, readFile, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** A lock that this process holds until `release`, or until it ends. */
export interface FileLock {
  release(): Promise<void>;
}

export interface LockOptions {
  /** Milliseconds to wait for another holder; 0 asks once. */
  readonly wait: number;
  /** Ends the wait early: the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

// SQLite result code SQLITE_BUSY: somebody else has the lock.
const BUSY = 5;
const LONGEST_PAUSE = 25;

/** Takes the lock on the file at `path` (made when it is not there) or says that it is held. */
export async function lockFile(path: string, options: LockOptions): Promise<FileLock | 'held'> {
  const deadline = performance.now() + options.wait;
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // On a file that it may only read, SQLite makes `BEGIN IMMEDIATE` a mere read, which excludes nobody.
    await access(path, constants.W_OK);
    for (let pause = 1; !tryBegin(database); pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      if (performance.now() >= deadline) {
        database.close();
        return 'held';
      }
      // Half of the pause is chance, so that waiting processes do not ask in step.
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal: options.signal });
    }
  } catch (error) {
    if (database.isOpen) database.close();
    throw options.signal?.aborted ? options.signal.reason : error;
  }
  // Only a name for the refusal; a disk too full for it must not stop what may free space.
  await writeFile(pidFile(path), `${process.pid}\n`).catch(() => undefined);
  return {
    async release() {
      if (!database.isOpen) return;
      await rm(pidFile(path), { force: true }).catch(() => undefined);
      database.close();
    },
  };
}

/** The pid of the process that holds a lock that was found `held`, where it is known; for messages only. */
export async function lockHolder(path: string): Promise<number | undefined> {
  const text = await readFile(pidFile(path), 'utf8').catch(() => '');
  return /^\d+\n$/.test(text) ? Number.parseInt(text, 10) : undefined;
}

/** The file beside the lock that names its holder. */
export const pidFile = (path: string): string => `${path}.pid`;

function tryBegin(database: DatabaseSync): boolean {
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) return false;
    throw error;
  }
}
