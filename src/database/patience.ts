/** Work on the database that nobody waits for, and that may take as long as it takes. */
import { CompiledQuery, type ControlledTransaction } from 'kysely';
import { type ConnectOptions, connectPostgres } from './connect.ts';
import type { Query } from './gathered.ts';

/** Does work in a transaction of its own; the connection is the same for all. */
export type Transact = <T>(
  work: (query: Query, transaction: ControlledTransaction<unknown>) => Promise<T>,
) => Promise<T>;

/**
 * Opens a connection on which neither our own timeouts hold nor those that a DBA has set for requests, for as long as
 * `work` goes on.
 * @throws AddressRefused, SessionRefused, the driver's errors; what `work` throws
 */
export async function patiently<T>(
  url: string,
  { onConnectionLost }: ConnectOptions,
  work: (transact: Transact) => Promise<T>,
): Promise<T> {
  await using undo = new AsyncDisposableStack();
  const connection = connectPostgres(url, {
    longestSilenceMs: null,
    isPatient: true,
    ...(onConnectionLost === undefined ? {} : { onConnectionLost }),
  });
  undo.defer(() => connection.close());
  return await work(async (inTransaction) => {
    const transaction = await connection.kysely.startTransaction().execute();
    // The caller of a query names the row type beside the columns it selects.
    const query: Query = async (text, values) =>
      (await transaction.executeQuery(CompiledQuery.raw(text, [...values]))).rows as never;
    try {
      const result = await inTransaction(query, transaction);
      await transaction.commit().execute();
      return result;
    } catch (error) {
      // Where that fails as well, the connection is gone and the server has rolled back by itself.
      await transaction
        .rollback()
        .execute()
        .catch(() => undefined);
      throw error;
    }
  });
}
