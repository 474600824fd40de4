/** The database as the domain sees it: an entity manager per org, and SQL with bound values. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type ControlledTransaction, type Kysely, sql } from 'kysely';
import { type OrgId, uuidOf } from '../model/ids.ts';
import { RequestRefused } from '../request-refused.ts';
import {
  type Connection,
  type ConnectOptions,
  connectEmbedded,
  connectPostgres,
} from './connect.ts';
import { createGather, type Gather, type Query } from './gathered.ts';
import type { Listen } from './notifications.ts';
import { createOrm } from './orm.ts';
import { isUnstorableText } from './sql-state.ts';

export interface Database {
  readonly kind: 'postgres' | 'embedded';
  readonly orm: MikroORM;
  /** An entity manager confined to one org: the tenant filter of every entity is on and has its value. */
  forOrg(org: OrgId): SqlEntityManager;
  /** An entity manager for statements that belong to no org; `cross-org.ts` lists them. */
  acrossOrgs(): SqlEntityManager;
  /** Sends one statement with bound values, outside any transaction. */
  readonly query: Query;
  /** Asks in one statement what many requests ask at the same moment, outside any transaction. */
  readonly gather: Gather;
  /** Hears what transactions of any process announce. */
  readonly listen: Listen;
  /** Brings the schema up to date; safe when several processes start at once. */
  migrate(): Promise<void>;
  /** Whether no migration is pending. */
  isMigrated(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens PostgreSQL at `url`, or the embedded database under `dataDirectory` where there is none.
 * @throws the driver's error where the database cannot be reached
 */
export async function openDatabase(
  { url, dataDirectory }: { readonly url: string | null; readonly dataDirectory: string },
  options: ConnectOptions = {},
): Promise<Database> {
  const kind = url === null ? 'embedded' : 'postgres';
  const { kysely, send, listen } =
    url === null
      ? await openEmbedded(join(dataDirectory, 'db'), options)
      : connectPostgres(url, options);
  const orm = createOrm(kysely, kind);
  const query: Query = (sql, values) => rowsOf(send(sql, [...values]));
  return {
    kind,
    orm,
    forOrg(org) {
      // The driver is always an SQL one (orm.ts), which the ORM's own type does not say.
      const em = orm.em.fork() as SqlEntityManager;
      em.setFilterParams('tenant', { org: uuidOf(org) });
      return em;
    },
    acrossOrgs: () => orm.em.fork({ disableContextResolution: true }) as SqlEntityManager,
    query,
    gather: createGather(query),
    listen,
    async migrate() {
      if (url === null) await orm.migrator.up();
      else await migratePostgres(orm, url);
    },
    isMigrated: async () => (await orm.migrator.getPending()).length === 0,
    close: () => orm.close(),
  };
}

/**
 * Sends one statement with bound values: in the transaction of an entity manager, or outside any where it is in none
 * or the database itself is given, which costs less.
 */
export function query<Row>(
  source: SqlEntityManager | Database,
  sql: string,
  values: readonly unknown[],
): Promise<Row[]> {
  if ('query' in source) return source.query(sql, values);
  const transaction = source.getTransactionContext<ControlledTransaction<unknown>>();
  const executor: Kysely<unknown> = transaction ?? source.getConnection().getClient();
  return rowsOf(executor.executeQuery(CompiledQuery.raw(sql, [...values])));
}

async function rowsOf<Row>(sent: Promise<{ readonly rows: unknown[] }>): Promise<Row[]> {
  try {
    const { rows } = await sent;
    // The caller names the row type beside the columns it selects; the driver cannot know it.
    return rows as Row[];
  } catch (error) {
    // Only a caller's own text, such as a filter, can hold it; what is stored was checked before.
    if (isUnstorableText(error)) {
      throw new RequestRefused('bad_request', 'Text must not hold NUL or unpaired surrogates.');
    }
    throw error;
  }
}

async function openEmbedded(directory: string, options: ConnectOptions): Promise<Connection> {
  await mkdir(dirname(directory), { recursive: true });
  return connectEmbedded(directory, options);
}

/**
 * In a transaction on a connection of its own: another replica's migrations, and our own, may take longer than any
 * request would wait.
 */
async function migratePostgres(orm: MikroORM, url: string): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const { kysely } = connectPostgres(url, { longestSilenceMs: null });
  undo.defer(() => kysely.destroy());
  const transaction = await kysely.startTransaction().execute();
  try {
    await sql`set local lock_timeout = 0`.execute(transaction);
    // The migrator takes no lock of its own, and of several replicas that start on an empty
    // database all but one would fail on objects that already exist.
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    await orm.migrator.up({ transaction });
    await transaction.commit().execute();
  } catch (error) {
    // Where that fails as well, the connection is gone and the server has rolled back by itself.
    await transaction
      .rollback()
      .execute()
      .catch(() => undefined);
    throw error;
  }
}

/** Any constant that nobody else locks in this database. */
const MIGRATION_LOCK = 4_207_112_024;
