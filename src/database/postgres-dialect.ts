import { CompiledQuery, type DatabaseConnection, PostgresDialect, PostgresDriver } from 'kysely';
import type { GatewayPool } from './pool.ts';
import { BEGIN_SHARED_TRANSACTION, BEGIN_TRANSACTION, beginPatiently } from './session.ts';

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
  dialect.createDriver = () => new OurDriver(config, pool);
  return dialect;
}

class OurDriver extends PostgresDriver {
  readonly #pool: GatewayPool;

  constructor(config: ConstructorParameters<typeof PostgresDriver>[0], pool: GatewayPool) {
    super(config);
    this.#pool = pool;
  }

  /**
   * Always `read committed`: a statement that has waited for a lock must see what was committed meanwhile, or a role
   * could keep a pack whose image is purged (`deletion-steps.ts`).
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const send = (sql: string) => connection.executeQuery(CompiledQuery.raw(sql));
    const begun = this.#pool.isPatient
      ? beginPatiently(send)
      : send(this.#pool.isShared() ? BEGIN_SHARED_TRANSACTION : BEGIN_TRANSACTION);
    await this.#orReturned(connection, begun);
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
