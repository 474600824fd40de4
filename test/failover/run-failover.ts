import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createRole, listPacks } from '../chaos/api.ts';
import { runClient } from '../chaos/client.ts';
import { type Ledger, newLedger } from '../chaos/ledger.ts';
import { randomFrom } from '../chaos/random.ts';
import { type Verdict, verify } from '../chaos/verify.ts';
import { postgresDirectory, type Replica, startReplicas } from '../chaos/world.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { freePort } from '../support/free-port.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { DatabaseServer, until } from './database-server.ts';
import { type MovingName, startMovingName } from './moving-name.ts';

export interface FailoverOptions {
  readonly seed: number;
  readonly clients: number;
  /** Answers of changes that are awaited before each step: the load is bounded by work, not by time. */
  readonly answers: number;
}

export interface Step {
  readonly what: string;
  /** From the moment at which there was a primary under the name again to a change made by each replica. */
  readonly readyAfterMs: number;
  /** Requests without a good answer since the step before. */
  readonly refused: number;
}

export interface FailoverReport extends Verdict {
  readonly seed: number;
  readonly requests: number;
  readonly refused: number;
  readonly packs: number;
  /** Reads that were answered while every commit waited for a standby that was away, and those that were sent. */
  readonly readsMeanwhile: readonly [answered: number, sent: number];
  /** What `/readyz` of each replica said while the name led to a standby. */
  readonly onStandby: readonly string[];
  readonly steps: readonly Step[];
}

const READS = 24;

/**
 * Clients change packs through two replicas whose database is one name. Behind it the standby goes away for a while, the
 * primary is killed, demoted under connections that stay, and lost in silence; each time a synchronous standby takes its
 * place. Then the question whether anything that was acknowledged is lost. The seed decides who does what.
 */
export async function runFailover(options: FailoverOptions): Promise<FailoverReport> {
  await using undo = new AsyncDisposableStack();
  const directory = postgresDirectory();
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const [portOfOne, portOfOther] = [await freePort(), await freePort()];
  const one = new DatabaseServer(join(directory, 'one'), portOfOne, portOfOther);
  const other = new DatabaseServer(join(directory, 'other'), portOfOther, portOfOne);
  undo.defer(() => one.stop());
  undo.defer(() => other.stop());
  await one.create();
  await other.copyFrom(one);
  await other.start();
  await one.waitForStandby();
  const name = await startMovingName(one.port);
  undo.defer(() => name.close());
  const registry = await startDockerRegistry();
  undo.defer(() => registry.stop());
  const environment = {
    BOOTSTRAP_API_KEY: OWNER_KEY,
    DATABASE_URL: `postgres://postgres:postgres@127.0.0.1:${name.port}/failover`,
    REGISTRY_URL: registry.url.href,
    LOG_LEVEL: 'error',
  };
  const replicas = await startReplicas(environment, undo);

  const load = startLoad(options, [replicas[0].url, replicas[1].url]);
  undo.defer(async () => void (await load.end()));
  const pair: Pair = { primary: one, standby: other, name };
  const readsMeanwhile = await withoutStandby(pair, replicas, load);
  const steps = [];
  const onStandby: string[] = [];
  for (const [what, takeOver] of Object.entries(takeOvers)) {
    await load.answers();
    const refusedBefore = load.refused();
    onStandby.push(...(await takeOver(pair, replicas)));
    const at = performance.now();
    name.move(pair.standby.port);
    const { primary, standby } = pair;
    [pair.primary, pair.standby] = [standby, primary];
    await changedByEach(replicas);
    steps.push({
      what,
      readyAfterMs: Math.round(performance.now() - at),
      refused: load.refused() - refusedBefore,
    });
    await Promise.all(replicas.map((replica) => replica.start()));
    await load.answers();
    await comeBack(pair, what);
  }
  await load.answers();
  const ledgers = await load.end();
  const deaths = replicas.flatMap(({ url, starts }) => (starts === 1 ? [] : `${url} died`));
  const sum = (of: (ledger: (typeof ledgers)[number]) => number) =>
    ledgers.reduce((total, ledger) => total + of(ledger), 0);
  const verdict = await verify(
    { replicas, environment, postgres: pair.primary, registry: { directUrl: registry.url } },
    ledgers,
  );
  return {
    seed: options.seed,
    requests: sum(({ requests }) => requests),
    refused: sum(({ unanswered }) => unanswered),
    packs: sum(({ packs }) => packs.length),
    readsMeanwhile,
    onStandby,
    steps,
    ...verdict,
    violations: [...verdict.violations, ...deaths],
  };
}

type Replicas = readonly [Replica, Replica];

interface Pair {
  primary: DatabaseServer;
  standby: DatabaseServer;
  readonly name: MovingName;
}

type TakeOver = (pair: Pair, replicas: Replicas) => Promise<readonly string[]>;

/** What becomes of the primary; afterwards the standby is promoted. Each answers what `/readyz` said meanwhile. */
const takeOvers: Readonly<Record<string, TakeOver>> = {
  async killed({ primary, standby }) {
    await primary.crash();
    await standby.promote();
    return [];
  },

  /** The name still leads to the old primary, and connections that were made meanwhile stay there when it has moved. */
  async demoted({ primary, standby }, replicas) {
    await primary.stop();
    await standby.promote();
    primary.becomeStandby();
    await primary.start();
    const said = new Set<string>();
    await until('both replicas say read_only', async () => {
      const all = await Promise.all(replicas.map(readiness));
      return all.every((one) => one === '503 read_only') && said.add(all.join()) !== undefined;
    });
    return [...said];
  },

  /** No connection is ended: nothing is heard on them any more. */
  async 'lost in silence'({ primary, standby, name }) {
    name.silence();
    await primary.crash();
    await standby.promote();
    return [];
  },
};

async function readiness({ url }: Replica): Promise<string> {
  const response = await fetch(`${url}/readyz`);
  const { database } = (await response.json()) as { database?: string }; // its own form
  return `${response.status} ${database}`;
}

/** The old primary is the standby of the new one, and no commit is acknowledged without it. */
async function comeBack({ primary, standby }: Pair, what: string): Promise<void> {
  // One that was stopped in order has nothing that its successor lacks, and runs again already.
  if (what !== 'demoted') {
    await standby.copyFrom(primary);
    await standby.start();
  }
  await primary.waitForStandby();
}

/** The only standby is away: commits wait for it, and reads go on. */
async function withoutStandby(
  { primary, standby }: Pair,
  replicas: Replicas,
  load: Load,
): Promise<readonly [number, number]> {
  await load.answers();
  await standby.stop();
  await until('commits wait', async () => {
    const [row] = await primary.ask(
      `select count(*)::int as n from pg_stat_activity where wait_event = 'SyncRep'`,
    );
    return Number(row?.n) >= load.clients / 2;
  });
  const reads = replicas.flatMap(({ url }) => Array.from({ length: READS }, () => listPacks(url)));
  const answers = await Promise.all(reads);
  await standby.start();
  return [answers.filter((answer) => answer !== null).length, answers.length];
}

/** Once a change through each replica is acknowledged. */
async function changedByEach(replicas: Replicas): Promise<void> {
  const change = async ({ url }: Replica) => {
    const name = `ready-${randomUUID()}`;
    await until('a change is made', async () => (await createRole(url, name)) !== null);
  };
  await Promise.all(replicas.map(change));
}

interface Load {
  readonly clients: number;
  /** Waits until so many more changes have been answered as the options say. */
  answers(): Promise<void>;
  readonly refused: () => number;
  end(): Promise<readonly Ledger[]>;
}

function startLoad(
  { seed, clients, answers }: FailoverOptions,
  urls: readonly [string, string],
): Load {
  const random = randomFrom(seed);
  const ledgers = Array.from({ length: clients }, newLedger);
  let over = false;
  const work = Promise.all(
    ledgers.map((ledger, index) =>
      runClient(index + 1, urls, random.fork(index + 1), () => over, ledger),
    ),
  );
  const refused = () => ledgers.reduce((sum, { unanswered }) => sum + unanswered, 0);
  const answered = () => ledgers.reduce((sum, { requests }) => sum + requests, 0) - refused();
  return {
    clients,
    refused,
    answers() {
      const goal = answered() + answers;
      return until(`${answers} more changes are answered`, async () => answered() >= goal);
    },
    end() {
      over = true;
      return work;
    },
  };
}
