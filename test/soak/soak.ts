/**
 * `npm run soak [-- --requests N] [-- --seed N] [-- --mebibytes N]`: exit code 1 when anything grows that must not,
 * or an answer is wrong. It needs Linux (`/proc`), and docker-registry is used where it is installed.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Postgres } from '../chaos/world.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { freePort } from '../support/free-port.ts';
import { installed } from '../support/installed.ts';
import { runSoak } from './run-soak.ts';
import { runUploads } from './run-uploads.ts';
import type { Sample } from './trend.ts';

const MIB = 1024 ** 2;
/** Per 50,000 requests, after the warm-up. */
const MOST_HEAP_GROWTH = 1 * MIB;
const MOST_RSS_GROWTH = 10 * MIB;
/** Eight archives of 60 MiB held in memory would be 480. */
const MOST_FOR_UPLOADS = 250 * MIB;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    seed: { type: 'string' },
    uploads: { type: 'string', default: '8' },
    mebibytes: { type: 'string', default: '62' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const print = (line: string) => void process.stdout.write(`${line}\n`);
const mib = (bytes: number) => (bytes / MIB).toFixed(1);

const columns = ['heap', 'buffers', 'rss'] as const;
const counts = [
  'listeners',
  'descriptors',
  'sockets',
  'connections',
  'listening',
  'temporaryFiles',
];
const row = (sample: Sample) =>
  [
    String(sample.requests).padStart(9),
    ...columns.map((name) => mib(sample[name]).padStart(8)),
    ...Object.entries(sample)
      .filter(([name]) => counts.includes(name))
      .map(([name, value]) => String(value).padStart(name.length + 1)),
  ].join(' ');

const directory = mkdtempSync(join(tmpdir(), 'soak-postgres-'));
// PostgreSQL refuses to run as root and then runs as a user of its own, who must reach this directory.
chmodSync(directory, 0o755);
const problems: string[] = [];
const postgres = await Postgres.start(join(directory, 'postgres'), await freePort());
const registry = installed('docker-registry') ? await startDockerRegistry() : null;
try {
  const registries = {
    layout: {},
    ...(registry === null ? {} : { 'docker-registry': { REGISTRY_URL: registry.url.href } }),
  };
  print(`seed ${seed}; MiB after a full collection, then counts`);
  print(` requests     heap  buffers      rss  ${counts.join('  ')}`);
  const { samples, ...soak } = await runSoak({
    seed,
    requests: Number(values.requests),
    looks: 40,
    novelties: true,
    environment: {
      DATABASE_URL: await database('soak'),
      ...(registry === null ? {} : { REGISTRY_URL: registry.url.href }),
    },
    onSample: (sample) => print(row(sample)),
  });
  problems.push(...soak.wrong, ...soak.leaks);
  if (soak.heapGrowth > MOST_HEAP_GROWTH) problems.push(`heap: +${mib(soak.heapGrowth)} MiB`);
  if (soak.rssGrowth > MOST_RSS_GROWTH) problems.push(`rss: +${mib(soak.rssGrowth)} MiB`);
  print(JSON.stringify({ ...soak, wrong: soak.wrong.length, last: samples.at(-1) }));

  for (const [name, environment] of Object.entries(registries)) {
    const url = await database(`uploads_${name.replace('-', '_')}`);
    const report = await runUploads({
      count: Number(values.uploads),
      mebibytes: Number(values.mebibytes),
      watch: 'rss',
      environment: { DATABASE_URL: url, ...environment },
    });
    const { refused, peak, baseline, temporaryFiles } = report;
    print(JSON.stringify({ registry: name, ...report, grewBy: `${mib(peak - baseline)} MiB` }));
    if (refused.length > 0) problems.push(`${name}: uploads answered ${refused.join(', ')}`);
    if (peak - baseline > MOST_FOR_UPLOADS) problems.push(`${name}: +${mib(peak - baseline)} MiB`);
    if (temporaryFiles.length > 0) problems.push(`${name}: left ${temporaryFiles.join(', ')}`);
  }
} finally {
  await registry?.stop();
  await postgres.close();
  rmSync(directory, { recursive: true, force: true });
}
for (const problem of problems) print(`PROBLEM ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

async function database(name: string): Promise<string> {
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return new URL(name, postgres.url).href;
}
