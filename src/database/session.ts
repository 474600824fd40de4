/** How every session with PostgreSQL begins: what our statements take for granted is set, or the session is refused. */
import type pg from 'pg';
import { newUuid } from '../model/ids.ts';
import { sqlState } from './sql-state.ts';

/** The server, or what stands before it, cannot be used as it is; the message says why and what to do. */
export class SessionRefused extends Error {}

/** What a session turned out to be. */
export interface Session {
  /** It takes no writes: a standby, or a role or database that is set so. */
  readonly isReadOnly: boolean;
  /** Another server process may answer each transaction: what is set here lasts for nobody. */
  readonly isShared: boolean;
}

/**
 * Set in any case, because PgBouncer keeps these three for each of its clients: times and bytes are read as text, and
 * the ORM writes values into its statements, where a backslash must mean itself.
 */
const MEANING = {
  DateStyle: 'ISO, YMD',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
};

/**
 * Milliseconds after which the server itself gives up: a statement whose caller has only stopped listening would keep
 * its connection, and a process that hangs in a transaction would keep its locks.
 */
const LONGEST_WAITS = {
  lock_timeout: '5000',
  idle_in_transaction_session_timeout: '10000',
};

/**
 * Whatever a DBA has set for requests: what is begun with this takes as long as it takes. The settings come first, within
 * the transaction that PostgreSQL makes of several statements sent together: where one of them is ended by a timeout, no
 * transaction is left open in which the session could be ended for being idle.
 */
const BEGIN_PATIENT = `set local statement_timeout = 0;
  set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0;
  start transaction isolation level read committed;
  select set_config('transaction_timeout', '0', true) where current_setting('transaction_timeout', true) is not null`;
/** So that a timeout that no beginning can outrun ends in an error and not in a loop. */
const MOST_BEGINNINGS = 100;
const STATEMENT_TIMEOUT = '57014';

/** Begins a transaction that no timeout ends; only until its first settings hold may one do so, and then it begins again. */
export async function beginPatiently(send: (sql: string) => Promise<unknown>): Promise<void> {
  for (let number = 1; ; number += 1) {
    try {
      await send(BEGIN_PATIENT);
      return;
    } catch (error) {
      if (number === MOST_BEGINNINGS || sqlState(error) !== STATEMENT_TIMEOUT) throw error;
    }
  }
}

/**
 * Set only where the session is ours alone; through a pooler they would affect its next client.
 *
 * Every transaction names its isolation as well; the default is for single statements. A prepared statement is planned
 * once, for any values, and not anew for the values at hand: that takes longer than most of our statements run, and for
 * an org that holds most of a table it walks through all orgs' rows.
 */
const MANNERS = {
  ...LONGEST_WAITS,
  // Connections are kept, and the one that listens says nothing for long.
  idle_session_timeout: '0',
  // An unquoted NULL in an array that we send is one.
  array_nulls: 'on',
  // A search by a part of a name finds all there are.
  gin_fuzzy_search_limit: '0',
  default_transaction_isolation: 'read committed',
  plan_cache_mode: 'force_generic_plan',
};

/** The settings among those of `?options=` (or PGOPTIONS) that have no effect, because the service sets them itself. */
export function settingsWithoutEffect(options: string): string[] {
  const ours = new Set(Object.keys({ ...MEANING, ...MANNERS }).map((name) => name.toLowerCase()));
  const named = [...options.matchAll(/(?:-c\s*|--)([\w-]+)=/g)];
  return named.flatMap(([, name = '']) => (ours.has(canonical(name)) ? [name] : []));
}

/** As PostgreSQL reads a setting's name. */
const canonical = (name: string): string => name.replaceAll('-', '_').toLowerCase();

const listed = (settings: Readonly<Record<string, string>>, isOurs: boolean) =>
  Object.entries(settings).map(([name, value]) => `('${name}', '${value}', ${isOurs})`);

/** One statement, because a connection that is opened under load costs its caller each round trip. */
const BEGIN = `
  select pg_backend_pid() as pid, current_setting('server_encoding') as encoding,
    current_setting('transaction_read_only') = 'on' as read_only,
    current_setting('session_replication_role', true) as replication_role,
    (select count(set_config(s.name, w.value, false))
     from (values ${[...listed(MEANING, false), ...listed(MANNERS, true)].join(', ')}) w (name, value, ours)
     -- A PostgreSQL-compatible engine that has no such setting is left as it is.
     join pg_settings s on s.name = w.name
     where not w.ours or $2 or pg_backend_pid() = $1) as settings`;

interface Begun {
  readonly pid: number;
  readonly encoding: string;
  readonly read_only: boolean;
  readonly replication_role: string | null;
}

/**
 * @param processId what the server said when the connection was made; a pooler says something of its own
 * @param isOurs whether the session is known to be ours alone; null: to be found out by the process's number
 * @throws SessionRefused
 */
export async function beginSession(
  client: pg.ClientBase,
  processId: number | null,
  isOurs: boolean | null,
): Promise<Session> {
  const { rows } = await client.query<Begun>(BEGIN, [
    isOurs === false ? null : processId,
    isOurs === true,
  ]);
  const [begun] = rows;
  if (begun === undefined) throw new SessionRefused('the server answers no query');
  if (!/^utf-?8$/i.test(begun.encoding)) {
    throw new SessionRefused(
      `the database has the encoding ${begun.encoding}, which cannot hold every text; ` +
        "make another with: create database packs encoding 'UTF8' template template0",
    );
  }
  if (begun.replication_role === 'replica') {
    throw new SessionRefused(
      'session_replication_role is replica, under which no foreign key and no trigger holds: ' +
        'a role could keep a pack that is deleted; reset it for the role and the database',
    );
  }
  return { isReadOnly: begun.read_only, isShared: !(isOurs ?? begun.pid === processId) };
}

/**
 * Makes sure that prepared statements outlive their transaction where that was asked for: a pooler that cares for them
 * gives them names of its own, and another one passes ours on to whichever server process comes.
 * @throws SessionRefused
 */
export async function requireKeptStatements(
  client: pg.ClientBase,
  processId: number | null,
): Promise<void> {
  const name = `probe_${newUuid()}`;
  const { rows } = await client.query<{ as_named: boolean; pid: number }>({
    name,
    text: `select exists (select from pg_prepared_statements where name = $1) as as_named,
      pg_backend_pid() as pid`,
    values: [name],
  });
  const [found] = rows;
  // Without any pooler names stay as they are, and so does the process.
  if (found === undefined || !found.as_named || found.pid === processId) return;
  throw new SessionRefused(
    'pgbouncer=prepared, but what answers keeps no prepared statements (PgBouncer does from 1.21 on, with ' +
      'max_prepared_statements above 0); say pgbouncer=true',
  );
}

/** What a transaction begins with on a session that is shared; for one that is ours the first part is enough. */
export const BEGIN_TRANSACTION = 'start transaction isolation level read committed';
export const BEGIN_SHARED_TRANSACTION = [
  BEGIN_TRANSACTION,
  ...Object.entries(LONGEST_WAITS).map(([name, value]) => `set local ${name} = ${value}`),
].join('; ');
