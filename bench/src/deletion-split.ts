/**
 * Where the time of W5 goes. The service runs in this process, and its steps are told apart by what it asks of the
 * database and the registry; so it lasts a little longer than in a process of its own, and the shares are what counts.
 */
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import type { Tracing } from '../../src/telemetry/tracing.ts';
import { median } from './summary.ts';

/** Medians, milliseconds, from the end of the step before. */
export interface DeletionSplit {
  /** The key, and whether the pack may be deleted. */
  readonly look: number;
  /** Until its row is DELETING, committed. */
  readonly mark: number;
  /** Until the registry has answered the last of its calls. */
  readonly purge: number;
  /** The row goes, and the answer comes. */
  readonly remove: number;
}

type Step = keyof DeletionSplit;
type Send = (path: string, init: RequestInit) => Promise<string>;

/** @param prepared makes that many packs to delete and answers a deletion of each, to be run one after the other */
export async function splitDeletions(
  environment: Readonly<Record<string, string>>,
  prepared: (send: Send) => Promise<readonly (() => Promise<void>)[]>,
  warmUp: number,
): Promise<DeletionSplit> {
  const ends = new Map<'verdict' | 'committed' | 'purged', number>();
  const tracing: Tracing = {
    request: (_arrival, _request, answer) => answer(),
    statement({ sql }) {
      if (/\bin_use\b/.test(sql) && !ends.has('verdict')) ends.set('verdict', performance.now());
      if (/^commit\b/i.test(sql)) ends.set('committed', performance.now());
    },
    registryCall: () => void ends.set('purged', performance.now()),
    close: async () => undefined,
  };
  const app = await createApp(readConfig(environment), { tracing });
  try {
    const send: Send = async (path, init) =>
      (await app.fetch(new Request(`http://gateway${path}`, init))).text();
    const samples: Record<Step, number[]> = { look: [], mark: [], purge: [], remove: [] };
    for (const [number, deletion] of (await prepared(send)).entries()) {
      ends.clear();
      const startedAt = performance.now();
      await deletion();
      const endedAt = performance.now();
      if (number < warmUp) continue;
      const { verdict, committed, purged } = Object.fromEntries(ends);
      if (verdict === undefined || committed === undefined || purged === undefined) {
        throw new Error(`a deletion without one of its steps: ${[...ends.keys()]}`);
      }
      samples.look.push(verdict - startedAt);
      samples.mark.push(committed - verdict);
      samples.purge.push(purged - committed);
      samples.remove.push(endedAt - purged);
    }
    const middle = (step: Step) => median(samples[step]) ?? 0;
    return {
      look: middle('look'),
      mark: middle('mark'),
      purge: middle('purge'),
      remove: middle('remove'),
    };
  } finally {
    await app.close();
  }
}
