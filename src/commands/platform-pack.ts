/**
 * `npm run platform-pack -- <archive> [--tier VERIFIED]`: imports a pack of the platform and exits, with 1 where that
 * was refused. With the embedded database the server must be stopped first.
 */
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { packTiers } from '../model/pack.entity.ts';
import { isProblem, problemRow } from '../outcomes.ts';
import { knowsEmbeddedImages } from '../packs/embedded-images.ts';
import { importPlatformPack } from '../packs/import-platform-pack.ts';
import { ParserThread } from '../parser-thread.ts';
import { openRegistry } from '../registry/open-registry.ts';
import { print } from '../stdout.ts';
import { openCommandDatabase } from './open-database.ts';
import { readArguments } from './read-arguments.ts';
import { runCommand } from './run-command.ts';

async function main(): Promise<void> {
  const { values, positionals } = readArguments({
    options: { tier: { type: 'string', default: 'VERIFIED' } },
    allowPositionals: true,
  });
  const [archive] = positionals;
  const tier = packTiers.find((one) => one === values.tier);
  if (archive === undefined || positionals.length > 1 || tier === undefined) {
    throw new Error(
      `usage: npm run platform-pack -- <pack.tar.gz> [--tier ${packTiers.join('|')}]`,
    );
  }
  const config = readConfig(process.env);
  await using open = new AsyncDisposableStack();
  const ignore = () => undefined;
  const database = await openCommandDatabase(config);
  open.defer(() => database.close());
  const imagesKnown = () => knowsEmbeddedImages(database);
  const registry = await openRegistry(
    config.registry,
    config.dataDirectory,
    imagesKnown,
    ignore,
    ignore,
  );
  open.defer(() => registry.close());
  const parserThread = open.use(new ParserThread());
  const log = createLog('warn', () => ({}), process.stderr);
  const world = { config, database, registry, log, parserThread };
  const outcome = await importPlatformPack(world, { archive, tier });
  if (outcome.kind === 'name_taken') {
    throw new Error(`the platform already has a pack named "${outcome.name}"`);
  }
  if (isProblem(outcome)) throw new Error(problemRow(outcome).message(outcome));
  const { id, name, version } = outcome;
  print(`${JSON.stringify({ id, name, version, tier })}\n`);
}

await runCommand(main);
