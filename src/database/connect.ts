/** One Kysely over either PostgreSQL or PGlite; MikroORM runs on it, and so does every statement of ours. */
import { Socket } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { createPostgreSqlTypeParsers } from '@mikro-orm/sql';
import { Kysely, type LogEvent, PGliteDialect } from 'kysely';
import pg from 'pg';
import { parse as parseArray } from 'postgres-array';
import {
  isPooledByTransaction,
  type Listen,
  listenOnEmbedded,
  listenOnPostgres,
} from './notifications.ts';
import { postgresDialect } from './postgres-dialect.ts';

/** One SQL statement as it was sent, for traces and metrics. */
export interface StatementEvent {
  readonly sql: string;
  /** Whether values were sent beside the text; the ORM writes them into it. */
  readonly hasValues: boolean;
  readonly milliseconds: number;
  readonly failed: boolean;
}

/** What the connection pool is doing at a moment. */
export interface PoolState {
  readonly total: number;
  readonly idle: number;
  /** Statements that wait for a connection. */
  readonly waiting: number;
}

export interface ConnectOptions {
  /** Called once, with a way to look at the pool; never for the embedded database. */
  readonly onPool?: (read: () => PoolState) => void;
  readonly onStatement?: (event: StatementEvent) => void;
  /** A connection that nobody was using broke; the pool replaces it. */
  readonly onConnectionLost?: (error: Error) => void;
  /**
   * Milliseconds after which a connection on which nothing is heard is given up; null: never, for what may take long
   * and keeps no caller waiting. Never for the embedded database.
   */
  readonly longestSilenceMs?: number | null;
}

/** An open database: for statements, and for what it announces. */
export interface Connection {
  readonly kysely: Kysely<unknown>;
  /** Sends one statement outside any transaction, past Kysely's layers: most statements are of this kind. */
  readonly send: (sql: string, values: unknown[]) => Promise<{ readonly rows: unknown[] }>;
  readonly listen: Listen;
}

/**
 * Milliseconds after which the server itself gives up: a statement whose caller has only stopped listening would keep
 * its connection, and a process that stands still in a transaction its locks. A pooler may refuse such settings.
 */
const LONGEST_WAITS = { lock_timeout: 5_000, idle_in_transaction_session_timeout: 10_000 };

/** The ORM reads dates and times as text and converts them by the entity's own types. */
const typeParsers = createPostgreSqlTypeParsers((text) => parseArray(text));

/** Opens a pool on a PostgreSQL server; nothing is connected before the first statement. */
export function connectPostgres(url: string, options: ConnectOptions): Connection {
  const types = new pg.TypeOverrides();
  for (const [oid, parse] of Object.entries(typeParsers)) {
    types.setTypeParser(Number(oid), parse);
  }
  const pool = new pg.Pool({
    connectionString: url,
    ...(isPooledByTransaction(url)
      ? {}
      : { Client: PreparingClient, onConnect: planOnce, ...LONGEST_WAITS }),
    application_name: 'pack-gateway',
    types,
    max: 10,
    connectionTimeoutMillis: 5_000,
    ...patience(options),
  });
  // An idle or checked-out client that loses its server emits 'error'; unheard, it would end the process.
  const lost = (error: Error) => options.onConnectionLost?.(error);
  pool.on('error', lost);
  pool.on('connect', (client) => client.on('error', lost));
  options.onPool?.(() => ({
    total: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  }));
  const kysely = new Kysely<unknown>({
    dialect: postgresDialect(pool),
    log: logTo(options),
  });
  const send = observed(options, (sql, values) => pool.query(sql, values));
  return { kysely, send, listen: listenOnPostgres(url) };
}

const patience = ({ longestSilenceMs = LONGEST_SILENCE_MS }: ConnectOptions): pg.ClientConfig =>
  // A server that is gone is found out all the same, if late.
  longestSilenceMs === null
    ? { keepAlive: true }
    : { stream: () => impatientSocket(longestSilenceMs) };

/** Nobody uses a connection that is idle for so long: the pool has closed it by then. */
const LONGEST_SILENCE_MS = 15_000;

/**
 * Gives up on a database that stands still. By the socket and not by pg's `query_timeout`, whose closures keep the rows
 * of every statement alive until the next full collection (bench/README.md).
 */
function impatientSocket(longestSilenceMs: number): Socket {
  const socket = new Socket();
  const silent = () => {
    const message = `the database was silent for ${longestSilenceMs} ms`;
    socket.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
  };
  return socket.setTimeout(longestSilenceMs, silent);
}

/**
 * Prepares parametrised statements once per connection, so that PostgreSQL parses and plans each once.
 *
 * A pooler that hands every transaction another connection cannot keep prepared statements (PgBouncer before 1.21):
 * `?pgbouncer=true` in DATABASE_URL switches them off.
 */
class PreparingClient extends pg.Client {
  // pg's `query` has a dozen overloads; this one passes on whatever it was given.
  override query: pg.Client['query'] = ((config: unknown, values?: unknown, ...rest: unknown[]) => {
    const statement =
      typeof config === 'string' && Array.isArray(values) && values.length > 0
        ? [{ name: statementName(config), text: config, values }, ...rest]
        : [config, values, ...rest];
    return Reflect.apply(super.query, this, statement);
  }) as pg.Client['query'];
}

/**
 * Has PostgreSQL plan a prepared statement once, for any values, and not anew for the values at hand: that takes
 * longer than most of our statements run, and for an org that holds most of a table it walks through all orgs' rows.
 * A PostgreSQL-compatible engine that has no such setting is left as it is.
 */
async function planOnce(client: pg.ClientBase): Promise<void> {
  await client.query(
    `select set_config(name, 'force_generic_plan', false) from pg_settings where name = 'plan_cache_mode'`,
  );
}

/**
 * The statements' texts are ours, values are never part of them; but filters and pages of lists combine to thousands,
 * and both this process and each connection's server process keep every name for good. What comes later is sent
 * unprepared.
 */
const MOST_PREPARED = 500;
const statementNames = new Map<string, string>();

function statementName(text: string): string | undefined {
  const known = statementNames.get(text);
  if (known !== undefined || statementNames.size >= MOST_PREPARED) return known;
  const name = `s${statementNames.size}`;
  statementNames.set(text, name);
  return name;
}

/** Opens (and on first use creates) the embedded database in a directory. */
export async function connectEmbedded(
  directory: string,
  options: ConnectOptions,
): Promise<Connection> {
  const pglite = await PGlite.create({ dataDir: directory, parsers: typeParsers });
  const kysely = new Kysely<unknown>({
    dialect: new PGliteDialect({ pglite }),
    log: logTo(options),
  });
  // There is one connection: PGlite lets a statement wait while a transaction of somebody else is open.
  const send = observed(options, (sql, values) => pglite.query(sql, values));
  return { kysely, send, listen: listenOnEmbedded(pglite) };
}

/** Tells of statements that do not go through Kysely what `logTo` tells of those that do. */
function observed({ onStatement }: ConnectOptions, send: Connection['send']): Connection['send'] {
  if (onStatement === undefined) return send;
  return async (sql, values) => {
    const startedAt = performance.now();
    let failed = true;
    try {
      const result = await send(sql, values);
      failed = false;
      return result;
    } finally {
      const milliseconds = performance.now() - startedAt;
      onStatement({ sql, hasValues: values.length > 0, milliseconds, failed });
    }
  };
}

function logTo({ onStatement }: ConnectOptions): (event: LogEvent) => void {
  return (event) =>
    onStatement?.({
      sql: event.query.sql,
      hasValues: event.query.parameters.length > 0,
      milliseconds: event.queryDurationMillis,
      failed: event.level === 'error',
    });
}
