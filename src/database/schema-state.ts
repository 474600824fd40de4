/** What migrations the database has seen, and bringing it up to date. */
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { ControlledTransaction } from 'kysely';
import { advisoryLocks } from './advisory-locks.ts';
import { makeAuditPartitions, NOT_MADE_AHEAD } from './audit-partitions.ts';
import type { ConnectOptions } from './connect.ts';
import type { Query } from './gathered.ts';
import { requireGrants } from './grants.ts';
import { missingNameSearch } from './name-search-index.ts';
import { createOrm, migrations } from './orm.ts';
import { patiently } from './patience.ts';
import { SessionRefused } from './session.ts';
import { sqlState } from './sql-state.ts';

/** Whether the service can do its work on the database. */
export type DatabaseState = 'ok' | 'not migrated' | 'read_only';

/**
 * Asks in one statement, which a role without any right to change the schema may send as well; the ORM's own question
 * would make the table where it is missing.
 */
export async function databaseState(query: Query): Promise<DatabaseState> {
  return stateBy(query).catch((error: unknown) => {
    if (sqlState(error) === UNDEFINED_TABLE) return 'not migrated';
    throw error;
  });
}

async function stateBy(query: Query): Promise<DatabaseState> {
  const rows = await query<{ name: string | null; read_only: boolean }>(
    `select m.name, s.read_only
     from (select current_setting('transaction_read_only') = 'on' as read_only) s
     left join mikro_orm_migrations m on true`,
    [],
  );
  const names = new Set(rows.map(({ name }) => name));
  if (!migrations.every(({ name }) => names.has(name))) return 'not migrated';
  return rows.some(({ read_only }) => read_only) ? 'read_only' : 'ok';
}

const UNDEFINED_TABLE = '42P01';

/**
 * Applies what is pending, in one transaction: another replica's migrations, and our own, may take longer than any
 * request would wait. Then looks whether the service can work with what is there.
 * @throws SessionRefused where the database cannot be used as it is; the driver's errors
 */
export async function migratePostgres(url: string, options: ConnectOptions): Promise<void> {
  await patiently(url, options, async (transact) => {
    const place = await transact(migrateIn);
    if (place.synchronous_commit === 'off') options.onWarning?.(LOSES_COMMITS);
    await transact(async (query) => {
      await requireGrants(query);
      const missing = await missingNameSearch(query);
      if (missing !== null) options.onWarning?.(missing);
    });
    // A role that may not make them is refused nothing: there is room in any case.
    await transact(makeAuditPartitions).catch((error: unknown) =>
      options.onWarning?.(`${NOT_MADE_AHEAD} (${error instanceof Error ? error.message : error})`),
    );
  });
}

async function migrateIn(
  query: Query,
  transaction: ControlledTransaction<unknown>,
): Promise<Place> {
  const [found] = await query<FoundPlace>(
    `select current_schema() as schema, current_setting('transaction_isolation') as isolation,
       current_setting('transaction_read_only') = 'on' as read_only,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('yb_effective_transaction_isolation_level', true) as effective`,
    [],
  );
  const place = usablePlace(found);
  // The migrator takes no lock of its own, and of several replicas that start on an empty
  // database all but one would fail on objects that already exist.
  await query('select pg_advisory_xact_lock($1)', [advisoryLocks.migration]);
  const [table] = await query<{ present: boolean }>(
    "select to_regclass('mikro_orm_migrations') is not null as present",
    [],
  );
  if (table?.present === true && (await stateBy(query)) !== 'not migrated') return place;
  const orm = createOrm(
    { kysely: transaction, driver: PostgreSqlDriver },
    { schema: place.schema },
  );
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
    throw new SessionRefused(
      'no schema of its search_path exists; create one of them (create schema …)',
    );
  }
  return { ...place, schema };
}

const READ_ONLY =
  'it takes no writes: a standby, or set to be read-only; name the primary, ' +
  'or all hosts with ?target_session_attrs=read-write';

const LOSES_COMMITS =
  'synchronous_commit is off: a crash of PostgreSQL may lose what was acknowledged, and bring a deleted pack back ' +
  'whose image is gone; set it to on for the role, the database or the server';
