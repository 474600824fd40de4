import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartError } from '../start-error.ts';

/**
 * Makes the data directory where it is not there, for whichever of database and registry is to be in it.
 * @throws StartError where there can be none, or it cannot be written
 */
export async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await make(directory);
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(directory, error);
  }
}

export function unwritable(directory: string, error: unknown): StartError {
  const problem = error instanceof Error ? error.message : String(error);
  return new StartError(
    'DATA_DIR',
    `${directory} cannot be written (${problem}); give another directory, for example DATA_DIR=./data`,
  );
}

/** `mkdir` with its `recursive` never returns where a file system refuses new entries with ENOENT, as /proc does. */
async function make(directory: string): Promise<void> {
  if (await isDirectory(directory)) return;
  if (dirname(directory) !== directory) await make(dirname(directory));
  await mkdir(directory).catch(async (error: unknown) => {
    // A process that starts beside this one may have been faster.
    if (!(await isDirectory(directory))) throw error;
  });
}

const isDirectory = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
