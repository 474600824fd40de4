/**
 * `npm run check-consistency [-- --repair] [-- --json]`: exit code 0 when nothing is left to do, 1 with findings, 2 when
 * the check could not be made. With the embedded database the server must be stopped first.
 */
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { checkConsistency } from '../consistency/check-consistency.ts';
import { asJson, asTable, isSettled } from '../consistency/report.ts';
import { keepPrivate } from '../data-directory/keep-private.ts';
import { lockDataDirectory } from '../data-directory/lock-data-directory.ts';
import { openDatabase } from '../database/database.ts';
import { knowsEmbeddedImages } from '../packs/embedded-images.ts';
import { openRegistry } from '../registry/open-registry.ts';

const CLEAN = 0;
const FINDINGS = 1;
const NOT_RUN = 2;

async function main(): Promise<number> {
  const options = { repair: { type: 'boolean' }, json: { type: 'boolean' } } as const;
  const { values } = parseArgs({ options });
  const config = readConfig(process.env);
  await keepPrivate(config.dataDirectory);
  await using open = new AsyncDisposableStack();
  if (config.databaseUrl === null) {
    const lock = await lockDataDirectory(config.dataDirectory);
    open.defer(() => lock.release());
  }
  const { databaseUrl: url, dataDirectory } = config;
  // Statements over the whole store may take long, and only the operator waits for them.
  const database = await openDatabase({ url, dataDirectory }, { longestSilenceMs: null });
  open.defer(() => database.close());
  if ((await database.state()) === 'not migrated') {
    throw new Error('the database is not migrated: run `npm run migrate`');
  }
  const ignore = () => undefined;
  const imagesKnown = () => knowsEmbeddedImages(database);
  const registry = await openRegistry(
    config.registry,
    config.dataDirectory,
    imagesKnown,
    ignore,
    ignore,
  );
  open.defer(() => registry.close());
  const outcome = await checkConsistency(
    { config, database, registry },
    { repair: values.repair ?? false },
  );
  if (outcome.kind === 'failed') throw new Error(`REGISTRY_URL: ${outcome.detail}`);
  process.stdout.write((values.json ? asJson : asTable)(outcome.checked));
  return outcome.checked.every(isSettled) ? CLEAN : FINDINGS;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = NOT_RUN;
  },
);
