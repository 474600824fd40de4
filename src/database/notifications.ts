/** PostgreSQL's LISTEN, on a connection of its own: what one process commits, every other hears at once. */
import { setTimeout as pause } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { DatabaseAddress } from '../database-address/address.ts';
import { newUuid } from '../model/ids.ts';
import { openPool } from './pool.ts';

export interface Listener {
  /** Sends a statement on the very connection that listens, and so proves that it still does. */
  query(sql: string, values: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Listens on a channel.
 * @param onLost the connection broke: notifications may have been missed from some moment on
 * @throws the driver's error where the database cannot be reached; ListenRefused
 */
export type Listen = (
  channel: string,
  onNotification: (payload: string) => void,
  onLost: (error: Error) => void,
) => Promise<Listener>;

/** Nothing would ever be heard, whatever the answer to LISTEN: the configuration must be changed. */
class ListenRefused extends Error {}

interface Ends {
  readonly address: DatabaseAddress;
  /** Where to listen, when not at `address`. */
  readonly listenAddress: DatabaseAddress | null;
  /** Sends a statement as those do whose announcements are to be heard. */
  readonly send: (sql: string, values: unknown[]) => Promise<unknown>;
}

/** Whether a pooler gives every transaction another connection, so that no session lasts. */
export const isPooledByTransaction = ({ pooler }: DatabaseAddress): boolean =>
  pooler === 'transaction' || pooler === 'prepared';

/** Milliseconds; an announcement takes as long as a commit. */
const LONGEST_ECHO_MS = 5_000;

export const listenOnPostgres =
  ({ address, listenAddress, send }: Ends): Listen =>
  async (channel, onNotification, onLost) => {
    const listened = listenAddress ?? address;
    if (isPooledByTransaction(listened)) {
      throw new ListenRefused(
        'LISTEN needs a session that lasts, which no pooler keeps in transaction mode: ' +
          "name PostgreSQL's own address in DATABASE_LISTEN_URL",
      );
    }
    const pool = openPool(named(listened), {
      most: 1,
      types: pg.types,
      longestSilenceMs: null,
      queryTimeoutMs: LONGEST_ECHO_MS,
      // The client below is never idle: it tells of its own loss.
      onConnectionLost: () => undefined,
    });
    const client = await pool.connect().catch(async (error: unknown) => {
      await pool.end();
      throw error;
    });
    const proof = newUuid();
    const heard = Promise.withResolvers<'heard'>();
    client.on('notification', ({ payload = '' }) =>
      payload === proof ? heard.resolve('heard') : onNotification(payload),
    );
    client.on('error', onLost);
    const close = async () => {
      client.off('error', onLost);
      // Closing a connection that is broken already is no news.
      client.on('error', () => undefined);
      client.release(true);
      await pool.end();
    };
    try {
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      // A pooler that nobody told us of answers LISTEN with success, and another database announces elsewhere.
      await send('select pg_notify($1, $2)', [channel, proof]);
      const late = pause(LONGEST_ECHO_MS, 'late' as const, { ref: false });
      if ((await Promise.race([heard.promise, late])) === 'late') throw unheard(listenAddress);
    } catch (error) {
      await close();
      throw error;
    }
    return { query: (sql, values) => client.query(sql, values), close };
  };

const named = (address: DatabaseAddress): DatabaseAddress => {
  const [first, ...others] = address.candidates.map(({ name, client }) => ({
    name,
    client: { ...client, application_name: `${client.application_name} events` },
  }));
  return first === undefined ? address : { ...address, candidates: [first, ...others] };
};

const unheard = (listenAddress: DatabaseAddress | null): ListenRefused =>
  new ListenRefused(
    listenAddress === null
      ? 'what is announced on DATABASE_URL is not heard there, as behind a pooler: ' +
          "name PostgreSQL's own address in DATABASE_LISTEN_URL"
      : 'what is announced on DATABASE_URL is not heard on DATABASE_LISTEN_URL: both must lead to the same database',
  );

export const listenOnEmbedded =
  (pglite: PGlite): Listen =>
  async (channel, onNotification) => {
    const stop = await pglite.listen(channel, onNotification);
    return { query: (sql, values) => pglite.query(sql, values), close: () => stop() };
  };
