import { runClient } from './client.ts';
import { causeFaults, type FaultCounts } from './faults.ts';
import { newLedger } from './ledger.ts';
import { randomFrom } from './random.ts';
import { runSharer } from './sharer.ts';
import { Shelf } from './shelf.ts';
import { type Verdict, verify } from './verify.ts';
import { createWorld } from './world.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults are caused; start and verification come on top, about half a minute. */
  readonly milliseconds: number;
  readonly clients: number;
}

/** One client in so many fights over packs with others of its kind; the rest have packs of their own. */
const SHARING = 3;

export interface ChaosReport extends Omit<FaultCounts, 'byKind'>, Verdict {
  readonly seed: number;
  readonly requests: number;
  readonly unanswered: number;
  readonly packs: number;
  readonly byKind: Readonly<Record<string, number>>;
}

/**
 * Clients at work on two replicas while replicas, registry and PostgreSQL die, freeze and come back; then the question
 * whether anything is wrong. The seed decides who does what and which fault comes when; scheduling stays the machine's.
 */
export async function runChaos({
  seed,
  milliseconds,
  clients,
}: ChaosOptions): Promise<ChaosReport> {
  const world = await createWorld();
  try {
    const random = randomFrom(seed);
    const ofFaults = newLedger();
    const shelf = new Shelf(world.registry.directUrl);
    const endsAt = performance.now() + milliseconds;
    let over = false;
    const urls = [world.replicas[0].url, world.replicas[1].url] as const;
    const [faults, ...ledgers] = await Promise.all([
      causeFaults(world, random.fork(0), ofFaults, () => performance.now() > endsAt).finally(() => {
        over = true;
      }),
      ...Array.from({ length: clients }, (_, index) => {
        const number = index + 1;
        const own = random.fork(number);
        return number % SHARING === 0
          ? runSharer(number, urls, own, () => over, shelf)
          : runClient(number, urls, own, () => over);
      }),
    ]);
    ledgers.push(shelf.ledger(), ofFaults);
    const sum = (of: (ledger: (typeof ledgers)[number]) => number) =>
      ledgers.reduce((total, ledger) => total + of(ledger), 0);
    return {
      seed,
      requests: sum(({ requests }) => requests),
      unanswered: sum(({ unanswered }) => unanswered),
      packs: sum(({ packs }) => packs.length),
      ...faults,
      ...(await verify(world, ledgers)),
    };
  } finally {
    await world.close();
  }
}
