/**
 * `npm run check-consistency [-- --json] [--after <place>] [--repair [--force] [--discard-packs] [--take-over]]`: exit
 * code 0 when nothing is left to do, 1 with findings, 2 when the check could not be made to its end. With the embedded
 * database the server must be stopped first.
 */
import { readConfig } from '../config.ts';
import { FOREIGN_NAMESPACE } from '../consistency/namespace-mark.ts';
import { jsonOn, tableOn, type Write } from '../consistency/report.ts';
import { type RunOutcome, runCheck } from '../consistency/run-check.ts';
import type { ImagesProgress } from '../consistency/walk-consistency.ts';
import { packIds } from '../model/ids.ts';
import { isRepository } from '../registry/registry.ts';
import { print } from '../stdout.ts';
import { openStores } from './open-stores.ts';
import { progressOn } from './progress.ts';
import { readArguments } from './read-arguments.ts';
import { runCommand } from './run-command.ts';

const CLEAN = 0;
const FINDINGS = 1;
const NOT_RUN = 2;

const flag = { type: 'boolean', default: false } as const;

async function main(): Promise<number> {
  const { values } = readArguments({
    options: {
      json: flag,
      after: { type: 'string' },
      repair: flag,
      force: flag,
      'discard-packs': flag,
      'take-over': flag,
    },
  });
  const { after, repair, force } = values;
  if (!repair && (force || values['discard-packs'] || values['take-over'])) {
    throw new Error('--force, --discard-packs and --take-over go with --repair');
  }
  if (after !== undefined && !isRepository(after) && packIds.parse(after) === null) {
    throw new Error('--after: must be a place that an earlier check named, a repository or a pack');
  }
  const options = {
    repair,
    force,
    discardPacks: values['discard-packs'],
    takeOver: values['take-over'],
  };
  await using stores = await openStores(readConfig(process.env));
  const terminal = progressOn(process.stderr);
  const write: Write = async (text) => {
    terminal.clear();
    print(text);
  };
  const report = (values.json ? jsonOn : tableOn)(write);
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const walk = {
    after,
    signal: interruption.signal,
    onProgress: ({ images, packs }: ImagesProgress) =>
      terminal.show(`${images.toLocaleString('en')} images, ${packs.toLocaleString('en')} packs`),
  };
  const outcome = await runCheck(stores, walk, report, options);
  terminal.clear();
  switch (outcome.kind) {
    case 'checked':
      return report.isClean() ? CLEAN : FINDINGS;
    case 'foreign':
      throw new Error(`REGISTRY_NAMESPACE: ${FOREIGN_NAMESPACE}`);
    case 'interrupted':
      throw new Error(`interrupted${goingOn(outcome)}`);
    case 'failed':
      throw new Error(`REGISTRY_URL: ${outcome.detail}${goingOn(outcome)}`);
  }
}

/** Where another check can go on, in words. */
function goingOn(outcome: RunOutcome): string {
  const reached = 'progress' in outcome ? outcome.progress.reached : null;
  return reached === null ? '' : `; go on with --after ${reached}`;
}

await runCommand(main, NOT_RUN);
