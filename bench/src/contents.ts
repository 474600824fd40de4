/**
 * `npm run contents` (W6): one file of a pack, cold and warm, next to `curl` of its layer piped into `tar -xO`.
 * It needs docker-registry, curl and tar.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { fill } from './data-set.ts';
import { readOptions } from './options.ts';
import { packArchive } from './pack-archive.ts';
import { startPostgres } from './postgres.ts';
import { rssOf } from './process-usage.ts';
import { startRegistry } from './registry.ts';
import { startServer } from './servers.ts';
import { median } from './summary.ts';

const WARM = 20;
const MIB = 1024 ** 2;
const ASKED = 'data/00007';

interface Uploaded {
  readonly id: string;
  readonly image_ref: string;
  readonly image_digest: string;
}

await using world = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'bench-contents-'));
world.defer(() => rmSync(directory, { recursive: true, force: true }));
const postgres = await startPostgres();
world.defer(() => postgres.stop());
const migrate = fileURLToPath(new URL('../../src/migrate.ts', import.meta.url));
const env = { ...process.env, DATABASE_URL: postgres.url, LOG_LEVEL: 'warn' };
execFileSync(process.execPath, [migrate], { env, stdio: 'inherit' });
const database = new pg.Client(postgres.url);
await database.connect();
world.defer(() => database.end());
const data = await fill(database, { ...readOptions(['--small']), packs: 2_000, roles: 1_000 });
const registry = await startRegistry(directory);
if (registry === null) throw new Error('docker-registry is not installed');
world.defer(() => registry.stop());
const server = await startServer('pack-gateway', {
  databaseUrl: postgres.url,
  registryUrl: registry.url,
  directory,
  profile: null,
});
world.defer(() => server.stop());

const packs = {
  'a pack of 20 files': { count: 20, bytes: 2_000 },
  'a pack of 5,000 files, 60 MiB': { count: 5_000, bytes: (60 * MIB) / 5_000 },
};
for (const [what, { count, bytes }] of Object.entries(packs)) {
  const pack = await upload(`contents-${count}`, filesOf(count, Math.floor(bytes)));
  const layer = await layerOf(pack);
  const before = rssOf(server.pid) ?? 0;
  const cold = await timed(() => read(pack));
  const warm: number[] = [];
  for (let time = 0; time < WARM; time++) warm.push(await timed(() => read(pack)));
  const grew = ((rssOf(server.pid) ?? 0) - before) / MIB;
  const byHand: number[] = [];
  for (let time = 0; time < 5; time++) byHand.push(await timed(() => readByHand(layer)));
  const shown = [
    `cold ${cold.toFixed(1)} ms`,
    `warm ${(median(warm) ?? 0).toFixed(1)} ms`,
    `curl | tar ${(median(byHand) ?? 0).toFixed(1)} ms`,
    `${grew.toFixed(0)} MiB more resident`,
  ];
  process.stdout.write(`W6, one file of ${what}: ${shown.join(' · ')}\n`);
}

/** Of noise, so that compression makes them no smaller. */
function filesOf(count: number, bytes: number): Record<string, Buffer> {
  const path = (at: number) => `data/${String(at).padStart(5, '0')}`;
  return Object.fromEntries(
    Array.from({ length: count - 2 }, (_, at) => [path(at), randomBytes(bytes)]),
  );
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function upload(name: string, files: Record<string, Buffer>): Promise<Uploaded> {
  const body = new FormData();
  body.set('visibility', 'org');
  body.set('archive', new File([new Uint8Array(packArchive(name, files))], 'pack.tar.gz'));
  const headers = { authorization: `Bearer ${data.deletingKey}` };
  const url = `${server.origin}/v1/packs/upload`;
  const answer = await fetch(url, { method: 'POST', headers, body });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`upload: ${text}`);
  // The service's own answer, whose schema is its OpenAPI document.
  return JSON.parse(text) as Uploaded;
}

async function read({ id }: Uploaded): Promise<void> {
  const headers = { authorization: `Bearer ${data.deletingKey}` };
  const answer = await fetch(`${server.origin}/v1/packs/${id}/files/${ASKED}`, { headers });
  const { length } = await answer.bytes();
  if (answer.status !== 200 || length === 0) throw new Error(`file: ${answer.status}`);
}

/** The address of the image's layer that holds the files: its largest. */
async function layerOf({ image_ref, image_digest }: Uploaded): Promise<string> {
  const path = image_ref.slice(image_ref.indexOf('/') + 1, image_ref.lastIndexOf(':'));
  const base = `${registry?.url}/v2/${path}`;
  const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
  const answer = await fetch(`${base}/manifests/${image_digest}`, { headers });
  // Of the registry, by the OCI image specification.
  const { layers } = (await answer.json()) as { layers: { digest: string; size: number }[] };
  const [largest] = layers.toSorted((one, other) => other.size - one.size);
  if (largest === undefined) throw new Error('an image without layers');
  return `${base}/blobs/${largest.digest}`;
}

function readByHand(layer: string): void {
  // Where the files lie in the image is the service's own matter: any directory.
  const script = `curl -sS "$1" | tar -xzO --wildcards "*${ASKED}"`;
  const found = execFileSync('bash', ['-c', script, 'bash', layer], { maxBuffer: 64 * MIB });
  if (found.length === 0) throw new Error('the layer does not hold the file');
}
