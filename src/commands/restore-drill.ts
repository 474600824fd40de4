/**
 * `npm run restore-drill [-- --sample 20]`, on a database and registry restored from a backup: finds out whether the
 * service could go on from there. Changes nothing. Exit code 0: it could; 1: something is to be done first; 2: it could
 * not be tried. With the embedded database no server must run on it.
 */
import { readConfig } from '../config.ts';
import { howFarRestored } from '../consistency/how-far-restored.ts';
import { FOREIGN_NAMESPACE } from '../consistency/namespace-mark.ts';
import { pullSample } from '../consistency/pull-sample.ts';
import { tableOn } from '../consistency/report.ts';
import { runCheck } from '../consistency/run-check.ts';
import { print } from '../stdout.ts';
import { openStores } from './open-stores.ts';
import { readArguments } from './read-arguments.ts';
import { runCommand } from './run-command.ts';

const GOOD = 0;
const TO_DO = 1;
const NOT_RUN = 2;

const CHECK_ONLY = { repair: false, force: false, discardPacks: false, takeOver: false };

async function main(): Promise<number> {
  const { values } = readArguments({ options: { sample: { type: 'string', default: '20' } } });
  // Not whatever `Number` takes: to it a variable that is not set is a sample of none.
  if (!/^\d{1,9}$/.test(values.sample)) {
    throw new Error('--sample: must be a number of packs, for example --sample 20');
  }
  const sample = Number(values.sample);
  await using stores = await openStores(readConfig(process.env));
  const say = (line: string) => print(`${line}\n`);

  const { reachesTo, liveKeys } = await howFarRestored(stores.database);
  say(
    reachesTo === null
      ? `DATABASE  holds no events; ${liveKeys} keys are good`
      : `DATABASE  reaches to ${reachesTo.toISOString()}; ${liveKeys} keys are good, those revoked later included`,
  );
  const report = tableOn(async (text) => say(text.trimEnd()));
  const checked = await runCheck(stores, {}, report, CHECK_ONLY);
  if (checked.kind === 'foreign') throw new Error(`REGISTRY_NAMESPACE: ${FOREIGN_NAMESPACE}`);
  if (checked.kind === 'failed') throw new Error(`REGISTRY_URL: ${checked.detail}`);

  const { pulled, broken } = await pullSample(stores, sample);
  for (const { packId, name, why } of broken) say(`BROKEN  ${packId}  ${name}  ${why}`);
  say(`REGISTRY  ${pulled} of ${pulled + broken.length} packs were pulled whole`);
  const isGood = report.isClean() && broken.length === 0;
  say(isGood ? 'GOOD' : 'NOT GOOD: see above');
  return isGood ? GOOD : TO_DO;
}

await runCommand(main, NOT_RUN);
