import type { Config } from '../config.ts';
import { lockDataDirectory } from '../data-directory/lock-data-directory.ts';
import { StartError } from '../start-error.ts';
import type { ConnectOptions } from './connect.ts';
import { type Database, openDatabase } from './database.ts';
import { dropLeasesOfDeadProcess } from './repository-lease.ts';
import { SessionRefused } from './session.ts';
import { sqlState } from './sql-state.ts';

export type MigratedPlace = Pick<Config, 'databaseUrl' | 'dataDirectory'> &
  Partial<Pick<Config, 'databaseListenUrl'>>;

/**
 * Opens the database that the configuration names and brings its schema up to date. An embedded one belongs to this
 * process alone until it is closed.
 * @throws StartError with what to do about it; nothing is left open
 */
export async function openMigratedDatabase(
  { databaseUrl: url, databaseListenUrl: listenUrl = null, dataDirectory }: MigratedPlace,
  options: ConnectOptions = {},
): Promise<Database> {
  await using undo = new AsyncDisposableStack();
  if (url === null) {
    const lock = await lockDataDirectory(dataDirectory);
    undo.defer(() => lock.release());
  }
  try {
    const database = await openDatabase({ url, listenUrl, dataDirectory }, options);
    undo.defer(() => database.close());
    await database.migrate();
    if (url === null) await dropLeasesOfDeadProcess(database);
    const opened = undo.move();
    return { ...database, close: () => opened.disposeAsync() };
  } catch (error) {
    throw unusableDatabase({ databaseUrl: url, dataDirectory }, error);
  }
}

/** The error of a start whose database has failed, with what to do about it. */
export function unusableDatabase(
  { databaseUrl, dataDirectory }: MigratedPlace,
  error: unknown,
): StartError {
  if (error instanceof StartError) return error;
  return databaseUrl === null ? unusableDirectory(dataDirectory, error) : unusableServer(error);
}

const unusableDirectory = (dataDirectory: string, error: unknown): StartError =>
  new StartError(
    'DATA_DIR',
    `the embedded database in ${dataDirectory} cannot be used (${problemOf(error)}); ` +
      'restore the directory from a backup, or start with another one, for example DATA_DIR=./data2',
  );

function unusableServer(error: unknown): StartError {
  const problem = problemOf(error);
  const wayOut =
    error instanceof SessionRefused
      ? undefined
      : (WAYS_OUT.find(({ says }) => says.test(problem))?.wayOut ??
        (sqlState(error) === INSUFFICIENT_PRIVILEGE ? OWNER_MIGRATES : EXAMPLE));
  return new StartError(
    'DATABASE_URL',
    `the database cannot be used (${problem})${wayOut === undefined ? '' : `; ${wayOut}`}`,
  );
}

const EXAMPLE = 'for example DATABASE_URL=postgres://user:password@localhost:5432/packs';
const INSUFFICIENT_PRIVILEGE = '42501';
const OWNER_MIGRATES =
  'run `npm run migrate` as the role that owns the tables, and grant this one what it needs (README, "Least privilege")';

/** What servers and poolers say, and what helps. */
const WAYS_OUT = [
  {
    says: /unsupported startup parameter/i,
    wayOut:
      'a pooler refuses what the address sends: leave out ?options=, or name it in the ' +
      "pooler's ignore_startup_parameters; in transaction mode add ?pgbouncer=true",
  },
  {
    says: /statement pooling/i,
    wayOut:
      'changes are made in transactions, which the pooler must let pass: give it pool_mode = transaction, and the ' +
      'address ?pgbouncer=true',
  },
  {
    says: /prepared statement .* (?:already exists|does not exist)/i,
    wayOut:
      'a pooler gives each transaction another session, which no address may call its own: say ?pgbouncer=true',
  },
  {
    says: /statement timeout/i,
    wayOut: 'raise the statement_timeout that is set for the role, the database or the server',
  },
  {
    says: /already exists/i,
    wayOut:
      'tables of another application are in this schema: give the service a database of its own, ' +
      'or a schema by ?options=-csearch_path%3D<schema>',
  },
  {
    says: /takes no writes/i,
    wayOut: 'name the primary, or all hosts with ?target_session_attrs=read-write',
  },
  { says: /no encryption|SSL (?:connection )?is required/i, wayOut: 'add ?sslmode=verify-full' },
  { says: /does not support SSL/i, wayOut: 'leave ?sslmode= out, or switch TLS on in the server' },
  {
    says: /password must be a string|empty password/i,
    wayOut: `the address holds no password: ${EXAMPLE}`,
  },
  {
    says: /certificate|altnames/i,
    wayOut: 'sslrootcert=<file of the CA> names the CA, and sslmode=verify-ca accepts other names',
  },
];

/** One line; an attempt at several addresses of one name says its problem only in the code. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [line = ''] = error.message.split('\n');
  return line === '' ? (sqlState(error) ?? error.name) : line;
}
