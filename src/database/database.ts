/** The database as the domain sees it: an entity manager per org, and SQL with bound values. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type ControlledTransaction, type Kysely } from 'kysely';
import type { OrgId } from '../model/ids.ts';
import type { Tenant } from '../model/tenant.ts';
import { RequestRefused } from '../request-refused.ts';
import { makeAuditPartitions } from './audit-partitions.ts';
import {
  type Connection,
  type ConnectOptions,
  connectPostgres,
  type Statement,
} from './connect.ts';
import type { CrossOrgReason } from './cross-org.ts';
import { createGather, type Gather, type Query } from './gathered.ts';
import type { Listen } from './notifications.ts';
import { createOrm } from './orm.ts';
import { patiently } from './patience.ts';
import { type DatabaseState, databaseState, migratePostgres } from './schema-state.ts';
import { isUnstorableText } from './sql-state.ts';

export interface Database {
  readonly kind: 'postgres' | 'embedded';
  readonly orm: MikroORM;
  /** An entity manager confined to one org (`model/tenant.ts`). */
  forOrg(org: OrgId): SqlEntityManager;
  /** An entity manager that no org confines. */
  acrossOrgs(reason: CrossOrgReason): SqlEntityManager;
  /** Sends one statement with bound values, outside any transaction. */
  readonly query: Query;
  /**
   * Sends statements as one transaction, none of which waits for the answers of those before it; answers the rows of
   * each. One that fails undoes all, and what a server has undone for a conflict is sent again.
   */
  readonly transact: Transact;
  /** Asks in one statement what many requests ask at the same moment, outside any transaction. */
  readonly gather: Gather;
  /** Hears what transactions of any process announce. */
  readonly listen: Listen;
  /**
   * Sends statements that nobody waits for, each a transaction of its own, on a connection where neither our timeouts
   * hold nor those that a DBA has set for requests.
   */
  patiently<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** Brings the schema up to date; safe when several processes start at once. */
  migrate(): Promise<void>;
  /** Whether the service can do its work on it. */
  state(): Promise<DatabaseState>;
  close(): Promise<void>;
}

/** The caller names the type of each statement's rows beside its columns; the driver cannot know them. */
export type Transact = <Rows extends readonly unknown[]>(
  statements: {
    readonly [at in keyof Rows]: Statement;
  },
) => Promise<{ [at in keyof Rows]: Rows[at][] }>;

export interface DatabasePlace {
  /** Null: the embedded database. */
  readonly url: string | null;
  /** Where to LISTEN, when not at `url`. */
  readonly listenUrl?: string | null;
  readonly dataDirectory: string;
}

/**
 * Opens PostgreSQL at `url`, or the embedded database under `dataDirectory` where there is none.
 * @throws the driver's error where the database cannot be reached
 */
export async function openDatabase(
  { url, listenUrl = null, dataDirectory }: DatabasePlace,
  options: ConnectOptions = {},
): Promise<Database> {
  const kind = url === null ? 'embedded' : 'postgres';
  const connection =
    url === null
      ? await openEmbedded(join(dataDirectory, 'db'), options)
      : connectPostgres(url, options, listenUrl);
  const { send, sendTogether, listen, attempts } = connection;
  const orm = createOrm(connection, { attempts });
  const query: Query = (sql, values) => rowsOf(send(sql, [...values]));
  return {
    kind,
    orm,
    forOrg(org) {
      // The driver is always an SQL one (orm.ts), which the ORM's own type does not say.
      const em = orm.em.fork() as SqlEntityManager;
      em.setFilterParams('tenant', { org } satisfies Tenant);
      return em;
    },
    acrossOrgs() {
      const em = orm.em.fork() as SqlEntityManager;
      em.setFilterParams('tenant', { everyOrg: true } satisfies Tenant);
      return em;
    },
    query,
    async transact<Rows extends readonly unknown[]>(
      statements: {
        readonly [at in keyof Rows]: Statement;
      },
    ) {
      const answers = await sendTogether(statements);
      // One answer for each statement, in their order.
      return answers.map(({ rows }) => rows) as { [at in keyof Rows]: Rows[at][] };
    },
    gather: createGather(query, options.onSharedStatement),
    listen,
    patiently(work) {
      if (url === null) return work(query);
      return patiently(url, options, (transact) =>
        work((sql, values) => transact((inTransaction) => inTransaction(sql, values))),
      );
    },
    async migrate() {
      if (url === null) {
        // Asked first as on PostgreSQL: the migrator alone takes a tenth of a second to find nothing to do.
        if ((await databaseState(query)) === 'not migrated') await orm.migrator.up();
        await makeAuditPartitions(query);
      } else await migratePostgres(url, options);
    },
    state: () => databaseState(query),
    async close() {
      await orm.close();
      await connection.close();
    },
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
  const { connectEmbedded } = await import('./embedded.ts');
  return connectEmbedded(directory, options);
}
