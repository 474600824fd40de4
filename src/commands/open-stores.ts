import type { Config } from '../config.ts';
import { keepPrivate } from '../data-directory/keep-private.ts';
import { lockDataDirectory } from '../data-directory/lock-data-directory.ts';
import { type Database, openDatabase } from '../database/database.ts';
import { knowsEmbeddedImages } from '../packs/embedded-images.ts';
import { openRegistry } from '../registry/open-registry.ts';
import type { Registry } from '../registry/registry.ts';
import { warn } from './open-database.ts';

export interface Stores extends AsyncDisposable {
  readonly config: Config;
  readonly database: Database;
  readonly registry: Registry;
}

/**
 * Opens database and registry as they are, and migrates nothing. The embedded database must not be in use.
 * @throws Error with what to do about it
 */
export async function openStores(config: Config): Promise<Stores> {
  await keepPrivate(config, warn);
  await using open = new AsyncDisposableStack();
  if (config.databaseUrl === null) {
    const lock = await lockDataDirectory(config.dataDirectory);
    open.defer(() => lock.release());
  }
  const { databaseUrl: url, dataDirectory } = config;
  // Statements over the whole store may take long, and only the operator waits for them.
  const database = await openDatabase(
    { url, dataDirectory },
    {
      longestSilenceMs: null,
      onWarning: warn,
    },
  );
  open.defer(() => database.close());
  if ((await database.state()) === 'not migrated') {
    throw new Error('the database is not migrated: run `npm run migrate`');
  }
  const ignore = () => undefined;
  const imagesKnown = () => knowsEmbeddedImages(database);
  const registry = await openRegistry(config.registry, dataDirectory, imagesKnown, ignore, ignore);
  open.defer(() => registry.close());
  const opened = open.move();
  return { config, database, registry, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
