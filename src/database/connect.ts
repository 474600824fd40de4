/** One Kysely over PostgreSQL; MikroORM runs on it, and so does every statement of ours. */
import type { PGlite } from '@electric-sql/pglite';
import type { IDatabaseDriver, Options } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { createPostgreSqlTypeParsers } from '@mikro-orm/sql';
import { Kysely, type LogEvent } from 'kysely';
import pg from 'pg';
import { parse as parseArray } from 'postgres-array';
import { type DatabaseAddress, parseAddress } from '../database-address/address.ts';
import { type Attempts, createAttempts } from './attempts.ts';
import { isPooledByTransaction, type Listen, listenOnPostgres } from './notifications.ts';
import { openPool } from './pool.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { BEGIN_SHARED_TRANSACTION, BEGIN_TRANSACTION, settingsWithoutEffect } from './session.ts';

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
  /** Called within the trace of every further request that a statement answers which `onStatement` is told once. */
  readonly onSharedStatement?: (event: StatementEvent) => void;
  /** A connection that nobody was using broke; the pool replaces it. */
  readonly onConnectionLost?: (error: Error) => void;
  /** What the address asks for is honoured, though perhaps not as it was meant. */
  readonly onWarning?: (message: string) => void;
  /**
   * Milliseconds after which a connection on which nothing is heard is given up; null: never, for what may take long
   * and keeps no caller waiting. Never for the embedded database.
   */
  readonly longestSilenceMs?: number | null;
  /** The embedded database, where somebody has it open already; closed with the connection. */
  readonly embedded?: PGlite;
  /** Whether a transaction takes as long as it takes, whatever timeouts a DBA has set for requests. */
  readonly isPatient?: boolean;
}

export type Driver = NonNullable<Options<IDatabaseDriver>['driver']>;

/** A statement with its bound values. */
export type Statement = readonly [sql: string, values: readonly unknown[]];

/** An open database: for statements, and for what it announces. */
export interface Connection {
  readonly kysely: Kysely<unknown>;
  /** The ORM's own for it. */
  readonly driver: Driver;
  /** Sends one statement outside any transaction, past Kysely's layers: most statements are of this kind. */
  readonly send: (sql: string, values: unknown[]) => Promise<{ readonly rows: unknown[] }>;
  /** Sends statements as one transaction, none of which waits for the answers of those before it. */
  readonly sendTogether: (
    statements: readonly Statement[],
  ) => Promise<{ readonly rows: unknown[] }[]>;
  readonly listen: Listen;
  /** Where transactions are tried again. */
  readonly attempts: Attempts;
  /** Closes what is open; nothing waits for a connection that has only been idle. */
  close(): Promise<void>;
}

/** Of one process, which is one event loop: more would only wait in PostgreSQL instead of here. */
const MOST_CONNECTIONS = 10;
/** A commit that waits for a standby holds its connection: reads keep the rest. */
const MOST_WRITES = 7;
/** Longer than the server lets a lock wait; nobody uses a connection that is idle for so long. */
const LONGEST_SILENCE_MS = 10_000;

/** The ORM reads dates and times as text and converts them by the entity's own types. */
export const typeParsers = createPostgreSqlTypeParsers((text) => parseArray(text));

/**
 * Opens a pool on a PostgreSQL server; nothing is connected before the first statement.
 * @param listenUrl a direct address for LISTEN, where `url` is a pooler's
 * @throws AddressRefused
 */
export function connectPostgres(
  url: string,
  options: ConnectOptions,
  listenUrl: string | null = null,
): Connection {
  const { longestSilenceMs = LONGEST_SILENCE_MS, isPatient = false } = options;
  const types = new pg.TypeOverrides();
  for (const [oid, parse] of Object.entries(typeParsers)) {
    types.setTypeParser(Number(oid), parse);
  }
  const address = parseAddress(url);
  const listenAddress = listenUrl === null ? null : parseAddress(listenUrl);
  const warnings = warningsOf(address);
  for (const warning of warnings) options.onWarning?.(warning);
  for (const warning of listenAddress === null ? [] : warningsOf(listenAddress)) {
    // What comes from libpq's variables is the same for both.
    if (!warnings.includes(warning)) options.onWarning?.(`DATABASE_LISTEN_URL: ${warning}`);
  }
  if (isPooledByTransaction(listenAddress ?? address)) options.onWarning?.(NO_EVENTS);
  const onConnectionLost = (error: Error) => options.onConnectionLost?.(error);
  const pool = openPool(address, {
    most: MOST_CONNECTIONS,
    types,
    longestSilenceMs,
    isPatient,
    onConnectionLost,
  });
  const attempts = createAttempts(MOST_WRITES);
  options.onPool?.(() => {
    const { waiting, ...state } = pool.state();
    return { ...state, waiting: waiting + attempts.waiting() };
  });
  const kysely = new Kysely<unknown>({ dialect: postgresDialect(pool), log: logTo(options) });
  const once = observed(options, async (sql, values) => {
    const client = await pool.connect();
    try {
      return await client.query(sql, values);
    } finally {
      client.release();
    }
  });
  const send: Connection['send'] = (sql, values) =>
    CHANGES.test(sql)
      ? attempts.write(() => once(sql, values))
      : attempts.read(() => once(sql, values));
  const together = async (statements: readonly Statement[]) => {
    const client = await pool.connect();
    // pg's types have it be set once, by the options; pg looks at it with each query.
    const pipelining = client as { pipeline: boolean };
    try {
      const query = observed(options, (sql, values) => client.query(sql, values));
      const begin = pool.isShared() ? BEGIN_SHARED_TRANSACTION : BEGIN_TRANSACTION;
      pipelining.pipeline = true;
      // After a statement that failed the server skips the rest, and takes the commit for a rollback.
      const settled = await Promise.allSettled([
        query(begin, []),
        ...statements.map(([sql, values]) => query(sql, [...values])),
        query('commit', []),
      ]);
      const answers = settled.map((answer) => {
        if (answer.status === 'rejected') throw answer.reason;
        return answer.value;
      });
      return answers.slice(1, -1);
    } finally {
      // Only here: it changes how a connection is ended on which a query hangs.
      pipelining.pipeline = false;
      client.release();
    }
  };
  const listen = listenOnPostgres({ address, listenAddress, send });
  return {
    kysely,
    driver: PostgreSqlDriver,
    send,
    sendTogether: (statements) => attempts.write(() => together(statements)),
    listen,
    attempts,
    async close() {
      await kysely.destroy();
      // Kysely ends no pool that it has not used itself.
      await pool.end();
    },
  };
}

function warningsOf({ warnings, candidates: [{ client }] }: DatabaseAddress): string[] {
  const startup = client.options ?? process.env.PGOPTIONS ?? '';
  return [...warnings, ...settingsWithoutEffect(startup).map(setAnyway)];
}

const NO_EVENTS =
  'packEvents are refused: a pooler in transaction mode carries no LISTEN; ' +
  "DATABASE_LISTEN_URL=<PostgreSQL's own address> brings them back";

const setAnyway = (name: string): string =>
  `options sets ${name}, which has no effect: the service sets it for each of its sessions`;

/** What holds locks until it is committed. */
const CHANGES = /\b(?:insert|update|delete)\b/i;

/** Tells of statements that do not go through Kysely what `logTo` tells of those that do. */
export function observed(
  { onStatement }: ConnectOptions,
  send: Connection['send'],
): Connection['send'] {
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

/** Tells of the statements that go through Kysely. */
export function logTo({ onStatement }: ConnectOptions): (event: LogEvent) => void {
  return (event) =>
    onStatement?.({
      sql: event.query.sql,
      hasValues: event.query.parameters.length > 0,
      milliseconds: event.queryDurationMillis,
      failed: event.level === 'error',
    });
}
