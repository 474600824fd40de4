import { setTimeout as pause } from 'node:timers/promises';
import { killInDelete } from './killed-in-delete.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

export interface FaultCounts {
  /** Processes killed: replicas, registry, PostgreSQL. */
  kills: number;
  /** All faults, kills included. */
  faults: number;
  readonly byKind: Record<string, number>;
}

type Fault = (world: World, random: Random, ledger: Ledger) => Promise<void>;

// A lease lives 4 s, a purge 3 s: pauses are chosen on both sides of these.
const faults: Record<string, { readonly kill: boolean; readonly inject: Fault }> = {
  'kill a replica': {
    kill: true,
    async inject({ replicas }, random) {
      const replica = random.pick(replicas);
      await replica.kill();
      await pause(random.between(0, 500));
      await replica.start();
    },
  },
  'kill both replicas': {
    kill: true,
    async inject({ replicas }) {
      await Promise.all(replicas.map((replica) => replica.kill()));
      await Promise.all(replicas.map((replica) => replica.start()));
    },
  },
  'freeze a replica': {
    kill: false,
    async inject({ replicas }, random) {
      const replica = random.pick(replicas);
      replica.freeze();
      await pause(random.between(500, 6_000));
      replica.resume();
    },
  },
  'freeze the registry': {
    kill: false,
    inject: ({ registry }, random) => registry.freeze(random.between(200, 4_500)),
  },
  'kill the registry': {
    kill: true,
    inject: ({ registry }, random) => registry.crash(random.between(0, 2_000)),
  },
  'kill the registry inside a DELETE': { kill: true, inject: killInDelete },
  'cut the connections to PostgreSQL': {
    kill: false,
    inject: ({ postgres }) => postgres.cutConnections(),
  },
  'kill PostgreSQL': {
    kill: true,
    inject: ({ postgres }, random) => postgres.crash(random.between(0, 1_500)),
  },
  // A connection attempt waits 5 s for its turn, a statement for a lock as long.
  'lock the packs, which fills the pools': {
    kill: false,
    inject: ({ postgres }, random) => postgres.lockPacks(random.between(500, 6_000)),
  },
  'take all connections of PostgreSQL': {
    kill: false,
    inject: ({ postgres }, random) => postgres.takeConnections(random.between(200, 2_000)),
  },
  'a slow registry': {
    kill: false,
    inject: ({ registry }, random) =>
      registry.trouble(
        { answerDelay: () => random.between(50, 400), trickle: 40 },
        random.between(1_500, 3_500),
      ),
  },
  // Most requests overtake the few: what was sent first arrives after what others did meanwhile.
  'requests to the registry that straggle': {
    kill: false,
    inject: ({ registry }, random) =>
      registry.trouble(
        { requestDelay: () => (random.next() < 0.25 ? random.between(400, 900) : 0) },
        random.between(3_000, 6_000),
      ),
  },
  // The registry has done what it was asked; the client hears a part of that, or nothing.
  'answers of the registry cut in the middle': {
    kill: false,
    inject: ({ registry }, random) =>
      registry.trouble(
        { cutAfter: () => (random.next() < 0.25 ? random.between(0, 200) : null) },
        random.between(1_500, 3_500),
      ),
  },
};

/**
 * One fault after the other, each kind once before any comes again, until the time is over.
 * @param ledger what a fault that is a client as well is told
 */
export async function causeFaults(
  world: World,
  random: Random,
  ledger: Ledger,
  isOver: () => boolean,
): Promise<FaultCounts> {
  const counts: FaultCounts = { kills: 0, faults: 0, byKind: {} };
  while (!isOver()) {
    const order = Object.entries(faults)
      .map(([kind, fault]) => ({ kind, fault, at: random.next() }))
      .sort((a, b) => a.at - b.at);
    for (const { kind, fault } of order) {
      if (isOver()) break;
      await pause(random.between(200, 1_200));
      await fault.inject(world, random, ledger);
      counts.faults++;
      if (fault.kill) counts.kills++;
      counts.byKind[kind] = (counts.byKind[kind] ?? 0) + 1;
    }
  }
  return counts;
}
