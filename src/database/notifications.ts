/** PostgreSQL's LISTEN, on a connection of its own: what one process commits, every other hears at once. */
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

export interface Listener {
  /** Sends a statement on the very connection that listens, and so proves that it still does. */
  query(sql: string, values: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Listens on a channel.
 * @param onLost the connection broke: notifications may have been missed from some moment on
 * @throws the driver's error where the database cannot be reached
 */
export type Listen = (
  channel: string,
  onNotification: (payload: string) => void,
  onLost: (error: Error) => void,
) => Promise<Listener>;

/** Whether a pooler gives every transaction another connection (`?pgbouncer=true`), so that no session lasts. */
export const isPooledByTransaction = (url: string): boolean =>
  new URL(url).searchParams.get('pgbouncer') === 'true';

export const listenOnPostgres =
  (url: string): Listen =>
  async (channel, onNotification, onLost) => {
    // It would answer LISTEN with success, and nothing would ever be heard.
    if (isPooledByTransaction(url)) throw new Error('LISTEN needs a connection that is kept');
    const client = new pg.Client({
      connectionString: url,
      application_name: 'pack-gateway events',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
    });
    client.on('notification', ({ payload }) => onNotification(payload ?? ''));
    client.on('error', onLost);
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return {
      query: (sql, values) => client.query(sql, values),
      async close() {
        client.off('error', onLost);
        // Closing a connection that is broken already is no news.
        client.on('error', () => undefined);
        await client.end().catch(() => undefined);
      },
    };
  };

export const listenOnEmbedded =
  (pglite: PGlite): Listen =>
  async (channel, onNotification) => {
    const stop = await pglite.listen(channel, onNotification);
    return { query: (sql, values) => pglite.query(sql, values), close: () => stop() };
  };
