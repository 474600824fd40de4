/** `npm run migrate`: brings the database's schema up to date and exits. */
import { openCommandDatabase } from './commands/open-database.ts';
import { readArguments } from './commands/read-arguments.ts';
import { runCommand } from './commands/run-command.ts';
import { readConfig } from './config.ts';

await runCommand(async () => {
  readArguments({ options: {} });
  const database = await openCommandDatabase(readConfig(process.env));
  await database.close();
});
