/** Starts the servers that are compared, each a process of its own on the same database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { type Dialect, dialects, trustedDocuments } from './workloads.ts';

export const serverNames = [
  'pack-gateway',
  'pack-gateway-trusted',
  'limit',
  'yoga',
  'apollo',
  'mercurius',
  'mercurius-jit',
  'postgraphile',
] as const;
export type ServerName = (typeof serverNames)[number];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What follows `node` in the service's own start script. */
export function shipped(): string[] {
  const { scripts } = JSON.parse(readFileSync(here('../../package.json'), 'utf8'));
  const words = String(scripts.start).split(' ');
  const script = words.pop() ?? '';
  return [...words.slice(words.indexOf('node') + 1), here(`../../${script}`)];
}

interface Entry {
  readonly args: string[];
  readonly dialect: Dialect;
  /** @param directory for what it needs to find */
  environment?(directory: string): Readonly<Record<string, string>>;
}

const entries: Record<ServerName, Entry> = {
  'pack-gateway': { args: shipped(), dialect: dialects.graphql },
  // The same, where the documents are known at the start (`TRUSTED_DOCUMENTS`) and asked for by their hashes.
  'pack-gateway-trusted': {
    args: shipped(),
    dialect: dialects.byHash,
    environment(directory) {
      const file = join(directory, 'trusted-documents.json');
      writeFileSync(file, JSON.stringify(trustedDocuments));
      return { TRUSTED_DOCUMENTS: file };
    },
  },
  limit: { args: [here('peers/limit.ts')], dialect: dialects.rest },
  yoga: { args: [here('peers/yoga.ts')], dialect: dialects.graphql },
  apollo: { args: [here('peers/apollo.ts')], dialect: dialects.graphql },
  mercurius: { args: [here('peers/mercurius.ts')], dialect: dialects.graphql },
  // Compiles its callers' documents with graphql-jit, which runs certain literals of theirs as code (../../SECURITY.md).
  'mercurius-jit': {
    args: [here('peers/mercurius.ts')],
    dialect: dialects.graphql,
    environment: () => ({ JIT: '1' }),
  },
  postgraphile: { args: [here('peers/postgraphile.ts')], dialect: dialects.postgraphile },
};

export interface Server {
  readonly name: ServerName;
  readonly origin: string;
  readonly pid: number;
  readonly dialect: Dialect;
  /** From the start of the process to its first answer, milliseconds. */
  readonly startMs: number;
  stop(): Promise<void>;
}

export interface ServerEnvironment {
  readonly databaseUrl: string;
  readonly registryUrl: string | null;
  /** Where logs and our server's data go. */
  readonly directory: string;
  /** Where our server leaves a CPU profile, if it is to make one. */
  readonly profile: string | null;
}

export async function startServer(name: ServerName, world: ServerEnvironment): Promise<Server> {
  const { args, dialect, environment } = entries[name];
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const profiled = world.profile !== null && name === 'pack-gateway';
  const logFile = join(world.directory, `${name}.log`);
  const log = openSync(logFile, 'w');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [...(profiled ? ['--cpu-prof', `--cpu-prof-dir=${world.profile}`] : []), ...args],
    {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        NODE_ENV: 'production',
        GRAPHILE_ENV: 'production',
        DATABASE_URL: world.databaseUrl,
        DATA_DIR: join(world.directory, `data-${name}`),
        HOST: '127.0.0.1',
        PORT: String(port),
        ...environment?.(world.directory),
        ...(world.registryUrl === null ? {} : { REGISTRY_URL: world.registryUrl }),
      },
    },
  );
  closeSync(log);
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  await answering(origin, child, logFile);
  return {
    name,
    origin,
    // It has answered, so it was spawned.
    pid: child.pid ?? 0,
    dialect,
    startMs: performance.now() - startedAt,
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
      process.off('exit', killed);
    },
  };
}

async function answering(origin: string, child: ChildProcess, logFile: string): Promise<void> {
  for (const giveUpAt = performance.now() + 60_000; performance.now() < giveUpAt; ) {
    if (child.exitCode !== null) break;
    try {
      // Any answer will do: it refuses callers without a key.
      await (await fetch(`${origin}/graphql`)).text();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`${logFile}: the server did not start\n${readFileSync(logFile, 'utf8')}`);
}
