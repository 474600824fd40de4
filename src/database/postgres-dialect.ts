import { CompiledQuery, type DatabaseConnection, PostgresDialect, PostgresDriver } from 'kysely';
import type { GatewayPool } from './pool.ts';
import { BEGIN_SHARED_TRANSACTION, BEGIN_TRANSACTION } from './session.ts';

/**
 * Kysely's PostgreSQL, which begins every transaction as our statements need it, whatever the server's default is, and
 * gives a connection back to the pool also when it broke within a transaction.
 *
 * Kysely keeps a connection whose `begin` or `rollback` failed: ten of them, and the pool is empty until a restart.
 */
export function postgresDialect(pool: GatewayPool): PostgresDialect {
  // Kysely looks at `Client` and `options` only to cancel statements, which nobody here asks it to.
  const config = { pool: { connect: pool.connect, end: pool.end, options: {} } };
  const dialect = new PostgresDialect(config);
  dialect.createDriver = () => new OurDriver(config, pool.isShared);
  return dialect;
}

class OurDriver extends PostgresDriver {
  readonly #isShared: () => boolean;

  constructor(config: ConstructorParameters<typeof PostgresDriver>[0], isShared: () => boolean) {
    super(config);
    this.#isShared = isShared;
  }

  /**
   * Always `read committed`: a statement that has waited for a lock must see what was committed meanwhile, or a role
   * could keep a pack whose image is purged (`deletion-steps.ts`).
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const begin = this.#isShared() ? BEGIN_SHARED_TRANSACTION : BEGIN_TRANSACTION;
    const sent = connection.executeQuery(CompiledQuery.raw(begin));
    await this.#orReturned(connection, sent);
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#orReturned(connection, super.rollbackTransaction(connection));
  }

  /** The pool throws away what is broken; the server has rolled back by itself. */
  async #orReturned(connection: DatabaseConnection, sent: Promise<unknown>): Promise<void> {
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
