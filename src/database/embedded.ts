/** The embedded database, PGlite; loaded only where it is used. */
import { setFlagsFromString } from 'node:v8';
import { PGlite, types } from '@electric-sql/pglite';
import { btree_gin } from '@electric-sql/pglite/contrib/btree_gin';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { PgliteDriver } from '@mikro-orm/pglite';
import { Kysely, PGliteDialect } from 'kysely';
import { toUuid } from '../model/ids.ts';
import { createAttempts } from './attempts.ts';
import { type Connection, type ConnectOptions, logTo, observed, typeParsers } from './connect.ts';
import { makeDatabaseFiles } from './embedded-files.ts';
import { listenOnEmbedded } from './notifications.ts';

/** Opens (and on first use creates) the embedded database in a directory. */
export async function connectEmbedded(
  directory: string,
  options: ConnectOptions,
): Promise<Connection> {
  const pglite = options.embedded ?? (await openPGlite(directory));
  const kysely = new Kysely<unknown>({
    dialect: new PGliteDialect({ pglite }),
    log: logTo(options),
  });
  // There is one connection: PGlite lets a statement wait while a transaction of somebody else is open.
  const send = observed(options, (sql, values) => pglite.query(sql, values));
  const attempts = createAttempts(Number.POSITIVE_INFINITY);
  return {
    kysely,
    driver: PgliteDriver,
    send,
    sendTogether: (statements) =>
      pglite.transaction(async (transaction) => {
        const query = observed(options, (sql, values) => transaction.query(sql, values));
        const answers: { readonly rows: unknown[] }[] = [];
        for (const [sql, values] of statements) answers.push(await query(sql, [...values]));
        return answers;
      }),
    listen: listenOnEmbedded(pglite),
    attempts,
    async close() {
      await kysely.destroy();
      if (!pglite.closed) await pglite.close();
    },
  };
}

/** PGlite's own 160 MB are all touched at the start; what is not in them is read from the system's cache. */
const SHARED_BUFFERS = '8MB';

/** Opens the embedded database itself, as a connection needs it, and makes it on first use. */
export async function openPGlite(directory: string): Promise<PGlite> {
  await makeDatabaseFiles(directory);
  // V8 would compile what is busy in PGlite a second time: its SQL parser alone for a second, in 600 MB. A statement that
  // goes through many rows would take half the time afterwards, most others what they take now.
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
  // Checks each function of it when it is first called, not all 13,000 at once: it is what npm's lock file names.
  setFlagsFromString('--wasm-lazy-validation');
  return PGlite.create({
    dataDir: directory,
    parsers: typeParsers,
    // PGlite asks the server for each parameter's type; elements of arrays go the same way.
    serializers: { [types.UUID]: toUuid },
    extensions: { pg_trgm, btree_gin },
    startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`],
  });
}
