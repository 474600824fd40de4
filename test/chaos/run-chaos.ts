import { runClient } from './client.ts';
import { causeFaults, type FaultCounts } from './faults.ts';
import { randomFrom } from './random.ts';
import { type Verdict, verify } from './verify.ts';
import { createWorld } from './world.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults are caused, one round at least; start and verification come on top, about half a minute. */
  readonly milliseconds: number;
  readonly clients: number;
}

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
    const endsAt = performance.now() + milliseconds;
    let over = false;
    const urls = [world.replicas[0].url, world.replicas[1].url] as const;
    const [faults, ...ledgers] = await Promise.all([
      causeFaults(world, random.fork(0), () => performance.now() > endsAt).finally(() => {
        over = true;
      }),
      ...Array.from({ length: clients }, (_, index) =>
        runClient(index + 1, urls, random.fork(index + 1), () => over),
      ),
    ]);
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
