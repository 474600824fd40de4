/** `npm run migrate`: brings the database's schema up to date and exits. */
import { ConfigError, readConfig } from './config.ts';
import { keepPrivate } from './data-directory/keep-private.ts';
import { openMigratedDatabase } from './database/open-migrated.ts';
import { StartError } from './start-error.ts';

try {
  const config = readConfig(process.env);
  await keepPrivate(config.dataDirectory);
  const database = await openMigratedDatabase(config, {
    onWarning: (message) => process.stderr.write(`${message}\n`),
  });
  await database.close();
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 1;
}
