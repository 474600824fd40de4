/** Connections to whichever of the address's hosts can be used; those that have become useless are thrown away. */
import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { Candidate, DatabaseAddress } from '../database-address/address.ts';
import { GatewayClient } from './client.ts';
import { KnownStatements } from './known-statements.ts';
import { beginPatiently, beginSession, requireKeptStatements, SessionRefused } from './session.ts';
import { sqlState } from './sql-state.ts';

export interface PoolOptions {
  readonly most: number;
  readonly types: pg.CustomTypesConfig;
  readonly longestSilenceMs: number | null;
  /** Whether transactions take as long as they take. */
  readonly isPatient?: boolean;
  /** Milliseconds for one statement; for connections with few of them (see `impatient`). */
  readonly queryTimeoutMs?: number;
  readonly onConnectionLost: (error: Error) => void;
}

export interface GatewayPool {
  /** A connection, which `release` gives back. */
  connect(): Promise<pg.PoolClient>;
  /** Whether sessions have turned out to be shared. */
  readonly isShared: () => boolean;
  readonly isPatient: boolean;
  readonly state: () => { readonly total: number; readonly idle: number; readonly waiting: number };
  end(): Promise<void>;
}

/** Seconds that a connection is used at most, because its host's name may have moved without notice. */
const LONGEST_LIFE_S = 600;

/** How long a connection is kept that nobody uses, where nothing is said of silence. */
const LONGEST_IDLE_MS = 10_000;

/** Refusals within this time come from connections of one generation, and begin one new generation together. */
const SHORTEST_GENERATION_MS = 1_000;

/** Opens a pool; nothing is connected before the first statement. */
export function openPool(address: DatabaseAddress, options: PoolOptions): GatewayPool {
  const { candidates, pooler } = address;
  const { longestSilenceMs } = options;
  let candidate = candidates[0];
  let isShared = pooler === 'transaction' || pooler === 'prepared';
  // What one connection learns of its server holds for all that were made before.
  let generation = 0;
  let turnedAt = Number.NEGATIVE_INFINITY;
  // Told as nobody's, and not as part of the request that happened to open the connection.
  const onConnectionLost = AsyncLocalStorage.bind(options.onConnectionLost);
  const generations = new WeakMap<GatewayClient, number>();
  const statements = new KnownStatements();

  const passOver = (failed: Candidate) => {
    // Of several that fail at once only the first moves on.
    if (candidate !== failed) return;
    candidate = candidates[(candidates.indexOf(failed) + 1) % candidates.length] ?? failed;
  };

  /** From now on every connection that was made before is thrown away; not at each refusal of a server that stays read-only. */
  const turn = () => {
    const now = performance.now();
    if (now - turnedAt < SHORTEST_GENERATION_MS) return;
    turnedAt = now;
    generation += 1;
  };

  class Client extends GatewayClient {
    constructor(config: pg.ClientConfig) {
      const onSpent = (client: GatewayClient) => {
        if (generations.get(client) === generation) turn();
      };
      super(config, { candidate, longestSilenceMs, statements, onSpent });
      generations.set(this, generation);
      // An idle or checked-out client that loses its server emits 'error'; unheard, it would end the process.
      this.on('error', onConnectionLost);
    }
  }

  const pool = new pg.Pool({
    // The pool passes its options on, which its types do not say.
    Client: Client as unknown as new () => GatewayClient,
    onConnect: begin,
    types: options.types,
    max: options.most,
    maxLifetimeSeconds: LONGEST_LIFE_S,
    connectionTimeoutMillis: address.connectTimeoutMs,
    query_timeout: options.queryTimeoutMs,
    // Before its silence counts: one that nobody uses is ended in order, and is not lost.
    idleTimeoutMillis: longestSilenceMs === null ? LONGEST_IDLE_MS : longestSilenceMs / 2,
  });
  // An idle client that breaks has told it itself.
  pool.on('error', () => undefined);

  async function begin(client: pg.ClientBase): Promise<void> {
    if (!(client instanceof Client)) return;
    if (address.requiresChannelBinding && !client.isBound) {
      throw new SessionRefused('channel_binding=require, but the server offers no channel binding');
    }
    const isOurs = pooler === 'session' ? true : pooler === 'unknown' ? null : false;
    const { isPatient = false } = options;
    if (isPatient) await beginPatiently((sql) => client.query(sql));
    const session = await beginSession(client, client.processId, isOurs);
    if (isPatient) await client.query('commit');
    if (address.mustWrite && session.isReadOnly) throw new ReadOnlyServer();
    isShared ||= session.isShared;
    if (pooler === 'prepared') await requireKeptStatements(client, client.processId);
    client.prepares = pooler === 'prepared' || !session.isShared;
  }

  /** A connection to the first candidate that can be used, beginning with the one that could last time. */
  async function open(): Promise<pg.PoolClient> {
    const failures = new Map<string, Error>();
    for (let tried = 1; ; tried += 1) {
      const asked = candidate;
      try {
        return await pool.connect();
      } catch (error) {
        if (!(error instanceof Error) || candidates.length === 1 || isFinal(error)) throw error;
        failures.set(asked.name, error);
        passOver(asked);
        if (tried >= candidates.length) throw noneOf(failures, error);
      }
    }
  }

  let ended: Promise<void> | undefined;
  return {
    async connect() {
      for (;;) {
        const client = await open();
        if (!(client instanceof Client)) return client;
        if (generations.get(client) === generation && !client.isSpent) return returning(client);
        client.release(true);
      }
    },
    isShared: () => isShared,
    isPatient: options.isPatient ?? false,
    state: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    end() {
      ended ??= pool.end();
      return ended;
    },
  };
}

/** Has the pool throw a connection away that has become useless in the meantime. */
function returning<C extends GatewayClient & pg.PoolClient>(client: C): C {
  const { release } = client;
  client.release = (destroy) => release(destroy ?? client.isSpent);
  return client;
}

class ReadOnlyServer extends Error {
  /** PostgreSQL's own code for a write that it refuses. */
  readonly code = '25006';
  constructor() {
    super('it takes no writes: a standby, or set to be read-only');
  }
}

/** A wrong password is wrong everywhere (libpq tries no further host either), and so is our own refusal. */
const isFinal = (error: Error): boolean =>
  error instanceof SessionRefused || sqlState(error) === '28P01' || NO_ROOM.test(error.message);

/** The pool's own word that all connections are in use. */
const NO_ROOM = /timeout exceeded when trying to connect|after calling end/;

/** The code is the last one's, by which callers tell an outage. */
function noneOf(failures: ReadonlyMap<string, Error>, last: Error): Error {
  const told = [...failures].map(([name, { message }]) => `${name}: ${message}`);
  const code = sqlState(last);
  return Object.assign(
    new Error(told.join('; '), { cause: last }),
    code === undefined ? {} : { code },
  );
}
