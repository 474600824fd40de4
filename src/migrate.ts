/** `npm run migrate`: brings the database's schema up to date and exits. */
import { ConfigError, readConfig } from './config.ts';
import { openMigratedDatabase } from './database/open-migrated.ts';
import { StartError } from './start-error.ts';

try {
  const database = await openMigratedDatabase(readConfig(process.env));
  await database.close();
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 1;
}
