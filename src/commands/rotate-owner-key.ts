/**
 * `npm run rotate-owner-key [-- --org slug]`: prints a new owner key of the org (BOOTSTRAP_ORG) once, on one line, and
 * ends the old ones. With the embedded database the server must be stopped first.
 */
import { readConfig } from '../config.ts';
import { rotateOwnerKey } from '../keys/rotate-owner-key.ts';
import { print } from '../stdout.ts';
import { openCommandDatabase } from './open-database.ts';
import { readArguments } from './read-arguments.ts';
import { runCommand } from './run-command.ts';

async function main(): Promise<void> {
  const { values } = readArguments({ options: { org: { type: 'string' } } });
  const config = readConfig(process.env);
  const database = await openCommandDatabase(config);
  try {
    const org = values.org ?? config.bootstrap.org;
    const outcome = await rotateOwnerKey({ database }, org, ({ id, secret, revoked }) =>
      print(`${JSON.stringify({ org, id, key: secret, revoked })}\n`),
    );
    if (outcome.kind === 'no_such_org') {
      throw new Error(`there is no org "${org}"; name one with --org`);
    }
  } finally {
    await database.close();
  }
}

await runCommand(main);
