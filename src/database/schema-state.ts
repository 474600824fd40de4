/** What migrations the database has seen, and bringing it up to date. */
import { type ControlledTransaction, sql } from 'kysely';
import { type Connection, type ConnectOptions, connectPostgres } from './connect.ts';
import type { Query } from './gathered.ts';
import { createOrm, migrations } from './orm.ts';
import { SessionRefused } from './session.ts';
import { sqlState } from './sql-state.ts';

/** Whether the service can do its work on the database. */
export type DatabaseState = 'ok' | 'not migrated' | 'read_only';

/**
 * Asks in one statement, which a role without any right to change the schema may send as well; the ORM's own question
 * would make the table where it is missing.
 */
export async function databaseState(query: Query): Promise<DatabaseState> {
  const rows = await query<{ name: string | null; read_only: boolean }>(
    `select m.name, s.read_only
     from (select current_setting('transaction_read_only') = 'on' as read_only) s
     left join mikro_orm_migrations m on true`,
    [],
  ).catch((error: unknown) => {
    if (sqlState(error) === UNDEFINED_TABLE) return [];
    throw error;
  });
  const names = new Set(rows.map(({ name }) => name));
  if (!migrations.every(({ name }) => names.has(name))) return 'not migrated';
  return rows.some(({ read_only }) => read_only) ? 'read_only' : 'ok';
}

const UNDEFINED_TABLE = '42P01';

/**
 * Applies what is pending, in a transaction on a connection of its own: another replica's migrations, and our own, may
 * take longer than any request would wait.
 * @throws SessionRefused where the database cannot be used as it is; the driver's errors
 */
export async function migratePostgres(url: string, options: ConnectOptions): Promise<void> {
  const { onConnectionLost, onWarning } = options;
  await using undo = new AsyncDisposableStack();
  const connection = connectPostgres(url, {
    longestSilenceMs: null,
    ...(onConnectionLost === undefined ? {} : { onConnectionLost }),
  });
  undo.defer(() => connection.close());
  const transaction = await connection.kysely.startTransaction().execute();
  try {
    const place = await migrateIn(transaction, connection);
    await transaction.commit().execute();
    if (place.synchronous_commit === 'off') onWarning?.(LOSES_COMMITS);
  } catch (error) {
    // Where that fails as well, the connection is gone and the server has rolled back by itself.
    await transaction
      .rollback()
      .execute()
      .catch(() => undefined);
    throw error;
  }
}

async function migrateIn(
  transaction: ControlledTransaction<unknown>,
  connection: Connection,
): Promise<Place> {
  // Whatever a DBA has set for requests: a migration takes as long as it takes.
  await sql`select set_config(name, '0', true) from pg_settings where name in ('lock_timeout',
    'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')`.execute(
    transaction,
  );
  const { rows } = await sql<FoundPlace>`
    select current_schema() as schema, current_setting('transaction_isolation') as isolation,
      current_setting('transaction_read_only') = 'on' as read_only,
      current_setting('synchronous_commit') as synchronous_commit,
      current_setting('yb_effective_transaction_isolation_level', true) as effective`.execute(
    transaction,
  );
  const place = usablePlace(rows[0]);
  // The migrator takes no lock of its own, and of several replicas that start on an empty
  // database all but one would fail on objects that already exist.
  await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
  // The caller of a query names the row type beside the columns it selects.
  const query: Query = async (text, values) =>
    (await connection.send(text, [...values])).rows as never;
  if ((await databaseState(query)) !== 'not migrated') return place;
  const orm = createOrm(connection, { schema: place.schema });
  await orm.migrator.up({ transaction });
  return place;
}

interface Place {
  /** That the tables are in, or are to be made in. */
  readonly schema: string;
  readonly isolation: string;
  readonly read_only: boolean;
  readonly synchronous_commit: string;
  /** YugabyteDB's own word; null elsewhere. */
  readonly effective: string | null;
}

type FoundPlace = Omit<Place, 'schema'> & { readonly schema: string | null };

function usablePlace(place: FoundPlace | undefined): Place {
  if (place === undefined || place.read_only) throw new SessionRefused(READ_ONLY);
  const isolation = place.effective ?? place.isolation;
  if (isolation !== 'read committed') {
    throw new SessionRefused(
      `a transaction that asks for "read committed" gets "${isolation}", under which a role could keep a pack ` +
        'whose image is purged; on YugabyteDB set yb_enable_read_committed_isolation, on CockroachDB ' +
        'sql.txn.read_committed_isolation.enabled',
    );
  }
  const { schema } = place;
  if (schema === null) {
    throw new SessionRefused('no schema of its search_path is there; create schema one of them');
  }
  return { ...place, schema };
}

export const READ_ONLY =
  'it takes no writes: a standby, or set to be read-only; name the primary, ' +
  'or all hosts with ?target_session_attrs=read-write';

const LOSES_COMMITS =
  'synchronous_commit is off: a crash of PostgreSQL may lose what was acknowledged, and bring a deleted pack back ' +
  'whose image is gone; set it to on for the role, the database or the server';

/** Any constant that nobody else locks in this database. */
const MIGRATION_LOCK = 4_207_112_024;
