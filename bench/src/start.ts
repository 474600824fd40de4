/**
 * `npm run start-up [-- --rounds 5]`: from the start of a process to its first answer, as `node` and as `npm start` starts
 * it, on the embedded database (a new directory, then the same again) and on PostgreSQL. CPU is `node`'s own, which a
 * busy machine changes less than the time that passes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from './free-port.ts';
import { startPostgres } from './postgres.ts';
import { cpuMicrosOf, rssOf } from './process-usage.ts';
import { shipped } from './servers.ts';
import { median } from './summary.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const root = fileURLToPath(new URL('../..', import.meta.url));
const ways = { node: [process.execPath, ...shipped()], 'npm start': ['npm', 'start'] };

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rssMiB: number;
}
const starts = new Map<string, Start[]>();

await using world = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'bench-start-'));
world.defer(() => rmSync(directory, { recursive: true, force: true }));
const postgres = await startPostgres();
world.defer(() => postgres.stop());
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [way, command] of Object.entries(ways)) {
    const DATA_DIR = join(directory, `${way}-${round}`);
    const places = {
      'embedded, first': { DATA_DIR },
      'embedded, later': { DATA_DIR },
      PostgreSQL: { DATA_DIR, DATABASE_URL: postgres.url },
    };
    for (const [place, environment] of Object.entries(places)) {
      const start = await measured(command, environment);
      // The first round compiles what the others find compiled, and migrates PostgreSQL.
      if (round > 0)
        starts.set(`${place}, ${way}`, [...(starts.get(`${place}, ${way}`) ?? []), start]);
    }
  }
}
for (const [what, all] of starts) {
  const middle = (key: keyof Start) => (median(all.map((start) => start[key])) ?? 0).toFixed(0);
  process.stdout.write(
    `${what}: ${middle('ms')} ms, ${middle('cpuMs')} ms of CPU, ${middle('rssMiB')} MiB\n`,
  );
}

async function measured(
  [command = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Start> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own: npm is not the process that is measured, and both are to end.
    detached: true,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port), ...environment },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await answered(`http://127.0.0.1:${port}/graphql`, child);
  const ms = performance.now() - startedAt;
  const pid = serverOf(child.pid ?? 0);
  const start = {
    ms,
    cpuMs: (cpuMicrosOf(pid) ?? 0) / 1000,
    rssMiB: (rssOf(pid) ?? 0) / 1024 ** 2,
  };
  process.kill(-(child.pid ?? 0), 'SIGINT');
  await ended;
  return start;
}

async function answered(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    try {
      await (await fetch(url)).text();
      return;
    } catch {
      await pause(10);
    }
  }
  throw new Error('the server did not start');
}

/** The process that npm and its shell have started, at the end of the line; the one given where there is none. */
function serverOf(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return child === undefined || child === '' ? pid : serverOf(Number(child));
}
