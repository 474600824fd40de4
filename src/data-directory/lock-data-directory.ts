import { join } from 'node:path';
import { StartError } from '../start-error.ts';
import { type FileLock, lockFile, lockHolder } from './file-lock.ts';
import { makeDataDirectory, unwritable } from './make-data-directory.ts';

/**
 * Makes the data directory where it is not there, and takes it for this process alone. The embedded database has no
 * lock of its own: a second process would make acknowledged rows vanish.
 * @throws StartError where it cannot be written or another process has it
 */
export async function lockDataDirectory(directory: string): Promise<FileLock> {
  const path = join(directory, 'lock');
  await makeDataDirectory(directory);
  try {
    const lock = await lockFile(path, { wait: 0 });
    if (lock !== 'held') return lock;
  } catch (error) {
    throw unwritable(directory, error);
  }
  const holder = await lockHolder(path);
  throw new StartError(
    'DATA_DIR',
    `${directory} is in use by another process${holder === undefined ? '' : ` (pid ${holder})`}; ` +
      'stop it, or give this one a directory of its own, for example DATA_DIR=./data2, ' +
      'or use DATABASE_URL to share a PostgreSQL server',
  );
}
