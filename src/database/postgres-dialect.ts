import { type DatabaseConnection, PostgresDialect, PostgresDriver } from 'kysely';
import type pg from 'pg';

/**
 * Kysely's PostgreSQL, which gives a connection back to the pool also when it broke within a transaction.
 *
 * Kysely keeps a connection whose `begin` or `rollback` failed: ten of them, and the pool is empty until a restart.
 */
export function postgresDialect(pool: pg.Pool): PostgresDialect {
  const dialect = new PostgresDialect({ pool });
  dialect.createDriver = () => new ReturningDriver({ pool });
  return dialect;
}

class ReturningDriver extends PostgresDriver {
  override async beginTransaction(
    ...[connection, settings]: Parameters<PostgresDriver['beginTransaction']>
  ): Promise<void> {
    await this.#orReturned(connection, super.beginTransaction(connection, settings));
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#orReturned(connection, super.rollbackTransaction(connection));
  }

  /** The pool throws away what is broken; the server has rolled back by itself. */
  async #orReturned(connection: DatabaseConnection, sent: Promise<void>): Promise<void> {
    try {
      await sent;
    } catch (error) {
      // Of this driver's own making, whatever its public type says.
      await super.releaseConnection(
        connection as Parameters<PostgresDriver['releaseConnection']>[0],
      );
      throw error;
    }
  }
}
