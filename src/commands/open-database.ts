import type { Config } from '../config.ts';
import { keepPrivate } from '../data-directory/keep-private.ts';
import type { ConnectOptions } from '../database/connect.ts';
import type { Database } from '../database/database.ts';
import { openMigratedDatabase } from '../database/open-migrated.ts';

/**
 * Opens the database for a command that may change it, and brings its schema up to date.
 * @throws StartError with what to do about it; nothing is left open
 */
export async function openCommandDatabase(
  config: Config,
  options: ConnectOptions = {},
): Promise<Database> {
  await keepPrivate(config, warn);
  return openMigratedDatabase(config, { onWarning: warn, ...options });
}

/** Tells the operator what is no reason to stop. */
export function warn(message: string): void {
  process.stderr.write(`${message}\n`);
}
