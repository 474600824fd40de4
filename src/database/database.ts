/** The database as the domain sees it: an entity manager per org, and SQL with bound values. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type MikroORM, raw } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type ControlledTransaction, type Kysely } from 'kysely';
import { type OrgId, uuidOf } from '../ids.ts';
import { RequestRefused } from '../request-refused.ts';
import {
  type Connection,
  type ConnectOptions,
  connectEmbedded,
  connectPostgres,
} from './connect.ts';
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
  query<Row>(sql: string, values: readonly unknown[]): Promise<Row[]>;
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
  location: { readonly url: string | null; readonly dataDirectory: string },
  options: ConnectOptions = {},
): Promise<Database> {
  const kind = location.url === null ? 'embedded' : 'postgres';
  const { kysely, send, listen } =
    location.url === null
      ? await openEmbedded(join(location.dataDirectory, 'db'), options)
      : connectPostgres(location.url, options);
  const orm = createOrm(kysely, kind);
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
    query: (sql, values) => rowsOf(send(sql, [...values])),
    listen,
    migrate: () => migrate(orm, kind),
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

async function migrate(orm: MikroORM, kind: Database['kind']): Promise<void> {
  if (kind === 'embedded') {
    await orm.migrator.up();
    return;
  }
  // The migrator takes no lock of its own, and of several replicas that start on an empty
  // database all but one would fail on objects that already exist.
  await orm.em.fork().transactional(async (em) => {
    // Another replica's migrations may take longer than any request would wait.
    await em
      .getConnection()
      .execute('set local lock_timeout = 0', [], 'all', em.getTransactionContext());
    await em
      .getConnection()
      .execute(
        raw('select pg_advisory_xact_lock(?)', [MIGRATION_LOCK]),
        [],
        'all',
        em.getTransactionContext(),
      );
    await orm.migrator.up({ transaction: em.getTransactionContext() });
  });
}

/** Any constant that nobody else locks in this database. */
const MIGRATION_LOCK = 4_207_112_024;
