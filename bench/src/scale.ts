/** `npm run scale`: what the service costs on 10,000, 100,000 and 1,000,000 packs (README.md, "At scale"). */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { type LoadGenerator, startLoadGenerator } from './load-generator.ts';
import { startPostgres } from './postgres.ts';
import { cpuMicrosOf } from './process-usage.ts';
import { type ScaleCase, scaleCases } from './scale-cases.ts';
import { fillForScale, type ScaleData } from './scale-data.ts';
import { type ScaleSample, scaleTable, summariseScale } from './scale-report.ts';
import { type Server, startServer } from './servers.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const say = (line: string) => process.stderr.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    packs: { type: 'string', default: '10000,100000,1000000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.6' },
    only: { type: 'string', default: '' },
  },
});
const sizes = values.packs.split(',').map(Number);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
if (![...sizes, rounds, seconds].every((number) => number > 0)) {
  throw new Error('--packs, --rounds and --seconds take numbers, for example --packs 10000,100000');
}
const cases = scaleCases.filter(({ name }) => name.includes(values.only));

/** One size: a database and the service on it. */
interface Stage {
  readonly data: ScaleData;
  readonly database: pg.Client;
  readonly server: Server;
}

await using world = new AsyncDisposableStack();
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));
const directory = mkdtempSync(join(tmpdir(), 'pack-gateway-scale-'));
world.defer(() => rmSync(directory, { recursive: true, force: true }));
const postgres = await startPostgres();
world.defer(() => postgres.stop());

const stages: Stage[] = [];
for (const packs of sizes) {
  const stage = await prepare(packs);
  world.defer(async () => {
    await stage.server.stop();
    await stage.database.end();
  });
  stages.push(stage);
}
const load = startLoadGenerator();
world.defer(() => load.stop());
const samples: ScaleSample[] = [];
for (let round = -1; round < rounds; round++) {
  for (const scaleCase of cases) {
    // Each size right after the other, so that they meet the same weather; another one first each time.
    const first = Math.max(round, 0) % stages.length;
    for (const stage of [...stages.slice(first), ...stages.slice(0, first)]) {
      const sample = await measure(load, stage, scaleCase);
      // The round before the first warms the compilers, the caches and the prepared statements.
      if (round >= 0) samples.push(sample);
    }
  }
  say(round < 0 ? 'warm' : `round ${round + 1} of ${rounds}`);
}

const lines = summariseScale(cases, sizes, samples);
const [first] = stages;
const machine = {
  CPU: `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  memory: `${(totalmem() / 1024 ** 3).toFixed(0)} GB`,
  'Node.js': process.version,
  PostgreSQL: (await first?.database.query('show server_version'))?.rows[0].server_version,
  rounds,
  'seconds each': seconds,
};
const table = scaleTable(machine, lines, sizes);
const results = { measuredAt: new Date().toISOString(), machine, lines, samples };
writeFileSync(here('../results/scale.json'), `${JSON.stringify(results, null, 2)}\n`);
writeFileSync(here('../results/scale.md'), table);
process.stdout.write(`\n${table}\n`);

/** The service's own migrations, then the rows, then the service as shipped. */
async function prepare(packs: number): Promise<Stage> {
  const startedAt = performance.now();
  const name = `scale_${packs}`;
  const admin = new pg.Client(postgres.url);
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(postgres.url);
  url.pathname = name;
  const env = { ...process.env, DATABASE_URL: url.href, LOG_LEVEL: 'warn' };
  execFileSync(process.execPath, [here('../../src/migrate.ts')], { env, stdio: 'inherit' });
  const database = new pg.Client(url.href);
  await database.connect();
  const data = await fillForScale(database, packs);
  const own = join(directory, name);
  mkdirSync(own);
  const server = await startServer('pack-gateway', {
    databaseUrl: url.href,
    registryUrl: null,
    directory: own,
    profile: null,
  });
  say(`${packs} packs: ${((performance.now() - startedAt) / 1_000).toFixed(0)} s to make`);
  return { data, database, server };
}

/** One connection, one request at a time. */
async function measure(
  load: LoadGenerator,
  stage: Stage,
  scaleCase: ScaleCase,
): Promise<ScaleSample> {
  const { data, database, server } = stage;
  const { name, once = false, prepare } = scaleCase;
  const requests = await prepare(database, data);
  await database.query('checkpoint');
  const cpuBefore = await cpuOfBackends(database);
  const result = await load.run({
    origin: server.origin,
    requests,
    once,
    connections: 1,
    warmUpMs: seconds * 200,
    timedMs: seconds * 1_000,
    pid: server.pid,
  });
  const cpuAfter = await cpuOfBackends(database);
  // The pool may open and close connections meanwhile; one that went was idle.
  const databaseMicros = [...cpuAfter].reduce(
    (sum, [pid, cpu]) => sum + cpu - (cpuBefore.get(pid) ?? 0),
    0,
  );
  if (once) {
    await database.query(`delete from packs where name like 'spare-%' and org_id = $1`, [
      data.orgId,
    ]);
    await database.query('vacuum packs');
  }
  if (result.errors > 0) {
    throw new Error(`${name}: ${result.errors} wrong answers, the first: ${result.firstError}`);
  }
  // The machine stood still: nothing was measured.
  if (result.requests === 0) return measure(load, stage, scaleCase);
  return {
    name,
    packs: data.packs,
    p50: result.p50,
    serverMicros: (result.cpuMicros ?? 0) / result.requests,
    databaseMicros: databaseMicros / result.total,
  };
}

/** CPU time so far of each PostgreSQL process that works for the service on this database. */
async function cpuOfBackends(database: pg.Client): Promise<Map<number, number>> {
  const { rows } = await database.query<{ pid: number }>(
    `select pid from pg_stat_activity
     where datname = current_database() and application_name = 'pack-gateway'`,
  );
  return new Map(rows.map(({ pid }) => [pid, cpuMicrosOf(pid) ?? 0]));
}
