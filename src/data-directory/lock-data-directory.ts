import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartError } from '../start-error.ts';
import { type FileLock, lockFile, lockHolder } from './file-lock.ts';

/**
 * Makes the data directory where it is not there, and takes it for this process alone. The embedded database has no
 * lock of its own: a second process would make acknowledged rows vanish.
 * @throws StartError where it cannot be written or another process has it
 */
export async function lockDataDirectory(directory: string): Promise<FileLock> {
  const path = join(directory, 'lock');
  try {
    await makeDirectory(directory);
    const lock = await lockFile(path, { wait: 0 });
    if (lock !== 'held') return lock;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new StartError(
      'DATA_DIR',
      `${directory} cannot be written (${problem}); give another directory, for example DATA_DIR=./data`,
    );
  }
  const holder = await lockHolder(path);
  throw new StartError(
    'DATA_DIR',
    `${directory} is in use by another process${holder === undefined ? '' : ` (pid ${holder})`}; ` +
      'stop it, or give this one a directory of its own, for example DATA_DIR=./data2, ' +
      'or use DATABASE_URL to share a PostgreSQL server',
  );
}

/** `mkdir` with its `recursive` never returns where a file system refuses new entries with ENOENT, as /proc does. */
async function makeDirectory(directory: string): Promise<void> {
  if ((await stat(directory).catch(() => undefined))?.isDirectory()) return;
  if (dirname(directory) !== directory) await makeDirectory(dirname(directory));
  await mkdir(directory).catch((error: unknown) => {
    // A process that starts beside this one may have been faster.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
}
