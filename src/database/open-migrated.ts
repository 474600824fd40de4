import type { Config } from '../config.ts';
import { lockDataDirectory } from '../data-directory/lock-data-directory.ts';
import { StartError } from '../start-error.ts';
import type { ConnectOptions } from './connect.ts';
import { type Database, openDatabase } from './database.ts';
import { dropLeasesOfDeadProcess } from './repository-lease.ts';

/**
 * Opens the database that the configuration names and brings its schema up to date. An embedded one belongs to this
 * process alone until it is closed.
 * @throws StartError with what to do about it; nothing is left open
 */
export async function openMigratedDatabase(
  { databaseUrl: url, dataDirectory }: Pick<Config, 'databaseUrl' | 'dataDirectory'>,
  options: ConnectOptions = {},
): Promise<Database> {
  await using undo = new AsyncDisposableStack();
  if (url === null) {
    const lock = await lockDataDirectory(dataDirectory);
    undo.defer(() => lock.release());
  }
  try {
    const database = await openDatabase({ url, dataDirectory }, options);
    undo.defer(() => database.close());
    await database.migrate();
    if (url === null) await dropLeasesOfDeadProcess(database);
    const opened = undo.move();
    return { ...database, close: () => opened.disposeAsync() };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw url === null
      ? new StartError(
          'DATA_DIR',
          `the embedded database in ${dataDirectory} cannot be used (${problem}); ` +
            'restore the directory from a backup, or start anew in another one, for example DATA_DIR=./data2',
        )
      : new StartError(
          'DATABASE_URL',
          `the database cannot be used (${problem}); ` +
            'for example DATABASE_URL=postgres://user:password@localhost:5432/packs',
        );
  }
}
