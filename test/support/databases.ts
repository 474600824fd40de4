/**
 * Migrated databases for tests, which are emptied and used again: to make one takes a hundred times as long.
 *
 * One whose schema a test has changed, and one that cannot be emptied, is never given to another.
 */
import { cpSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { openPGlite } from '../../src/database/embedded.ts';
import { newUuid } from '../../src/model/ids.ts';

const TABLES = `from pg_class where relnamespace = 'public'::regnamespace and relname <> 'mikro_orm_migrations'`;
const FILLED = `${TABLES} and relkind = 'r' and pg_relation_size(oid) > 0`;
/**
 * Deletes the rows of every table that the migrations have made, past the triggers that keep the audit log from
 * changing. Many of them leave more behind than plans should differ by; to make files anew takes as long as a test.
 */
const EMPTY = `
  set session_replication_role = replica;
  do $$ begin
    if (select sum(pg_relation_size(oid)) > 4 * 1024 * 1024 ${FILLED}) then
      execute (select 'truncate ' || string_agg(oid::regclass::text, ', ') ${TABLES}
                 and relkind in ('r', 'p') and not relispartition);
    else
      execute (select coalesce(string_agg('delete from ' || oid::regclass, '; '), 'select') ${FILLED});
    end if;
  end $$;
  set session_replication_role = default`;

/** What tells two schemas apart, rights and settings included; rows make no difference to it. */
const SCHEMA = `
  select md5(concat_ws('/',
    (select string_agg(concat_ws(':', oid, relname, reloptions, relacl, relowner), ',' order by oid)
       from pg_class where oid >= 16384 and relkind <> 't'),
    (select string_agg(concat_ws(':', attrelid, attnum, attname, atttypid, attnotnull, atthasdef, attacl), ','
       order by attrelid, attnum) from pg_attribute where attrelid >= 16384),
    (select string_agg(concat_ws(':', oid, conname, convalidated), ',' order by oid) from pg_constraint),
    (select string_agg(concat_ws(':', oid, tgname, tgenabled), ',' order by oid) from pg_trigger),
    (select string_agg(concat_ws(':', oid, proname, md5(prosrc)), ',' order by oid) from pg_proc where oid >= 16384),
    (select string_agg(concat_ws(':', oid, nspname, nspacl), ',' order by oid) from pg_namespace
       where nspname not like 'pg\\_temp%' and nspname not like 'pg\\_toast%'),
    (select string_agg(concat_ws(':', setrole, setconfig), ',' order by setrole) from pg_db_role_setting
       where setdatabase = (select oid from pg_database where datname = current_database())))) as schema`;

interface Idle<Database> {
  readonly database: Database;
  readonly schema: string;
}

/** A database that is somebody's until he gives it back. */
export interface Lent<Database> {
  readonly database: Database;
  /** Takes all rows away, while it stays in use; false where it cannot be used again. */
  empty(): Promise<boolean>;
  giveBack(): Promise<void>;
}

/** Its connection stays: to make one for every test that empties it would take as long again as the emptying. */
interface IdlePostgres extends Idle<string> {
  readonly client: pg.Client;
}

const idlePostgres: IdlePostgres[] = [];

/** A migrated PostgreSQL database for the test alone; answers its address. */
export async function emptyPostgres(): Promise<string> {
  const lent = await lendPostgres();
  onTestFinished(lent.giveBack);
  return lent.database;
}

/** A migrated PostgreSQL database, by its address. */
export async function lendPostgres(): Promise<Lent<string>> {
  const idle = idlePostgres.pop() ?? (await newPostgres());
  return {
    database: idle.database,
    empty: () => isEmptiedPostgres(idle),
    async giveBack() {
      if (await isEmptiedPostgres(idle, 'nobody is left')) idlePostgres.push(idle);
      else await idle.client.end();
    },
  };
}

async function newPostgres(): Promise<IdlePostgres> {
  const database = await createDatabase();
  const client = new pg.Client({ connectionString: database, lock_timeout: 5_000 });
  // A test may end every connection of its database, which nobody then gets again.
  client.on('error', () => undefined);
  await client.connect();
  return { database, client, schema: await schemaOf(client) };
}

async function isEmptiedPostgres(
  { client, schema }: IdlePostgres,
  others: 'may be connected' | 'nobody is left' = 'may be connected',
): Promise<boolean> {
  try {
    if (others === 'nobody is left') {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
      );
    }
    if ((await schemaOf(client)) !== schema) return false;
    await client.query(EMPTY);
    return true;
  } catch {
    return false;
  }
}

const schemaOf = async (client: pg.Client): Promise<string> =>
  (await client.query(SCHEMA)).rows[0].schema;

/** A PostgreSQL database that nobody else ever gets, a copy of another; answers its address. */
export async function createDatabase(template = 'template'): Promise<string> {
  const name = `test_${newUuid().replaceAll('-', '')}`;
  const client = new pg.Client({ connectionString: `${inject('postgres')}/postgres` });
  await client.connect();
  try {
    // Only one session may copy a template at a time.
    await client.query('select pg_advisory_lock(1)');
    await client.query(`create database ${name} template ${template}`);
  } finally {
    await client.end();
  }
  return `${inject('postgres')}/${name}`;
}

interface OpenEmbedded {
  readonly directory: string;
  readonly pglite: PGlite;
}

const idleEmbedded: Idle<OpenEmbedded>[] = [];

export interface LentEmbedded extends Lent<PGlite> {
  /** Closes it for good and puts its files where another process may open them. */
  moveTo(directory: string): Promise<void>;
}

/** A migrated embedded database for the test alone, open. */
export async function emptyEmbedded(): Promise<PGlite> {
  const lent = await lendEmbedded();
  onTestFinished(lent.giveBack);
  return lent.database;
}

/** A migrated embedded database, open on a directory elsewhere; to close it only ends what it is used for. */
export async function lendEmbedded(): Promise<LentEmbedded> {
  const idle = idleEmbedded.pop() ?? (await newEmbedded());
  const { pglite, directory } = idle.database;
  return {
    database: lent(pglite),
    empty: () => isEmptiedEmbedded(idle),
    async giveBack() {
      if (await isEmptiedEmbedded(idle)) idleEmbedded.push(idle);
      else if (!pglite.closed) await pglite.close();
    },
    async moveTo(place) {
      await pglite.close();
      mkdirSync(dirname(place), { recursive: true });
      renameSync(directory, place);
    },
  };
}

async function newEmbedded(): Promise<Idle<OpenEmbedded>> {
  const template = join(inject('embedded'), 'db');
  // Where the template is, which goes when the run ends.
  const directory = mkdtempSync(join(dirname(inject('embedded')), 'embedded-'));
  cpSync(template, directory, { recursive: true });
  const pglite = await openPGlite(directory);
  await pglite.exec(EMPTY);
  const schema = await schemaOfEmbedded(pglite);
  return { database: { directory, pglite }, schema };
}

async function isEmptiedEmbedded({ database, schema }: Idle<OpenEmbedded>): Promise<boolean> {
  const { pglite } = database;
  if (pglite.closed || (await schemaOfEmbedded(pglite)) !== schema) return false;
  await pglite.exec(EMPTY);
  return true;
}

const schemaOfEmbedded = async (pglite: PGlite): Promise<string> =>
  (await pglite.query<{ schema: string }>(SCHEMA)).rows[0]?.schema ?? '';

function lent(pglite: PGlite): PGlite {
  let closed = false;
  return new Proxy(pglite, {
    get(target, key) {
      if (key === 'closed') return closed || target.closed;
      if (key === 'close') {
        return async () => {
          closed = true;
        };
      }
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
