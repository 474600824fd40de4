import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Random, randomFrom } from '../chaos/random.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { Client } from './client.ts';
import { SoakedServer } from './soaked-server.ts';
import { makeStock } from './stock.ts';
import { anyKind, askOften, type Stock } from './traffic.ts';
import { growthPer, leaksIn, type Sample } from './trend.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly requests: number;
  /** What the server is started with: its database and registry at least. */
  readonly environment: Readonly<Record<string, string>> & { readonly DATABASE_URL: string };
  /** How often the server's memory is looked at. */
  readonly looks: number;
  /**
   * Whether documents come that were never sent before. What remembers them, and unknown tokens, is filled to the brim
   * first, or its filling would be taken for a leak.
   */
  readonly novelties: boolean;
  readonly onSample?: (sample: Sample) => void;
}

export interface SoakReport {
  readonly seed: number;
  readonly requests: number;
  readonly seconds: number;
  /** Bytes per 50,000 requests, after the warm-up. */
  readonly heapGrowth: number;
  readonly rssGrowth: number;
  /** The first wrong answers. */
  readonly wrong: readonly string[];
  /** What grows and must not, in words. */
  readonly leaks: readonly string[];
  readonly samples: readonly Sample[];
}

const CLIENTS = 16;
const WRONG_SHOWN = 10;
/** More than any cache of the service holds. */
const UNKNOWN_TOKENS = 10_500;
const NEW_DOCUMENTS = 1_100;
const WARM_UP = 0.25;
const GROWTH_PER = 50_000;

/** Sends a fixed count of mixed requests, and looks again and again what the server holds. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seed, requests, environment } = options;
  await using server = await SoakedServer.start(environment);
  const database = new pg.Client(environment.DATABASE_URL);
  await database.connect();
  try {
    const random = randomFrom(seed);
    const stock = await makeStock(server.url);
    if (options.novelties) await fillCaches(server.url, stock);
    const startedAt = performance.now();
    const samples: Sample[] = [];
    const wrong: string[] = [];
    let sent = 0;
    for (let round = 1; round <= options.looks; round++) {
      const until = Math.ceil((requests * round) / options.looks);
      // New connections each time: what was left open shows as soon as the old ones are closed.
      const client = new Client(server.url, CLIENTS);
      const one = async (own: Random) => {
        while (sent < until) {
          const kind = anyKind(own, options.novelties);
          sent += kind.requests ?? 1;
          const turn = { client, random: own, stock, number: sent };
          await kind.run(turn).catch((error: unknown) => {
            if (wrong.length < WRONG_SHOWN) wrong.push(`${kind.name}: ${String(error)}`);
          });
        }
      };
      await Promise.all(
        Array.from({ length: CLIENTS }, (_, index) => one(random.fork(round * 100 + index))),
      );
      await client.close();
      // Not what was sent: the last ones of a round may be a few requests in one.
      const sample = await look(server, database, until);
      samples.push(sample);
      options.onSample?.(sample);
    }
    const afterWarmUp = samples.filter((sample) => sample.requests >= requests * WARM_UP);
    const growth = (of: (sample: Sample) => number) => growthPer(GROWTH_PER, afterWarmUp, of);
    return {
      seed,
      requests: sent,
      seconds: Math.round((performance.now() - startedAt) / 1_000),
      heapGrowth: growth(({ heap, buffers }) => heap + buffers),
      rssGrowth: growth(({ rss }) => rss),
      wrong,
      leaks: leaksIn(samples, requests * WARM_UP),
      samples,
    };
  } finally {
    await database.end();
  }
}

async function fillCaches(url: string, stock: Stock): Promise<void> {
  const client = new Client(url, CLIENTS);
  const tokens = Array.from({ length: UNKNOWN_TOKENS }, (_, number) => number).values();
  const documents = Array.from({ length: NEW_DOCUMENTS }, (_, number) => number).values();
  const one = async () => {
    for (const number of tokens) {
      await client.send({ method: 'GET', path: '/v1/packs', token: `sk_unknown-${number}` });
    }
    for (const number of documents) {
      await askOften(client, `x${number}`, stock);
      // What was found wrong with a document is remembered as well.
      await client.graphql(OWNER_KEY, `{ pack( ${number}`);
      await client.graphql(OWNER_KEY, `{ nothing${number} }`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, one));
  await client.close();
}

/** Waits until the server has noticed that its clients are gone, then looks. */
async function look(server: SoakedServer, database: pg.Client, requests: number): Promise<Sample> {
  await pause(100);
  const memory = await server.memory();
  const { rows } = await database.query<{ application_name: string; count: number }>(
    `select application_name, count(*)::int from pg_stat_activity
     where datname = current_database() and application_name like 'pack-gateway%' group by 1`,
  );
  const ofName = (name: string) =>
    rows.find(({ application_name }) => application_name === name)?.count ?? 0;
  const { all, sockets } = server.descriptors();
  return {
    requests,
    ...memory,
    descriptors: all,
    sockets,
    connections: ofName('pack-gateway'),
    listening: ofName('pack-gateway events'),
    temporaryFiles: server.temporaryFiles().length,
  };
}
