import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { LEASE_TTL_MS } from '../../src/database/repository-lease.ts';
import { defaultCircuitBreaker } from '../../src/registry/circuit-breaker.ts';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import { listImages } from '../support/list-images.ts';
import { deletePack, detachPack } from './api.ts';
import type { Ledger, PackEntry } from './ledger.ts';
import type { Replica } from './world.ts';

const CHECK = fileURLToPath(new URL('../../src/commands/check-consistency.ts', import.meta.url));

export interface Verdict {
  /** Acknowledged changes that are not there. */
  readonly lost: readonly string[];
  /** Everything else that must not be. */
  readonly violations: readonly string[];
  /** Images of uploads that never answered, which `--repair` removed. */
  readonly orphans: number;
  /** Deletions that stood still, which one more call finished. */
  readonly unfinished: number;
}

/** What is judged. */
export interface Judged {
  readonly replicas: readonly [Replica, Replica];
  readonly postgres: { readonly url: string };
  readonly registry: { readonly directUrl: URL };
  /** What a process of the service is started with. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Compares the store with what clients were told, then empties it: every pack must go with one call. */
export async function verify(world: Judged, ledgers: readonly Ledger[]): Promise<Verdict> {
  await Promise.all(world.replicas.map((replica) => replica.start()));
  // What the last fault left behind ends by itself: leases of the dead, and the pause that circuit breakers make.
  await pause(Math.max(LEASE_TTL_MS, defaultCircuitBreaker.halfOpenAfterMs) + 500);
  const client = new pg.Client(world.postgres.url);
  await client.connect();
  try {
    const lost = await findLost(client, ledgers);
    const first = await check(world);
    const violations = [
      ...ledgers.flatMap(({ contradictions }) => contradictions),
      ...first.filter((finding) => !isExpected(finding, ledgers)).map(inWords),
      ...(await deleteAll(client, world)),
    ];
    // What is left now is known to be nobody's: every pack is deleted, and some uploads never answered.
    const repaired = await check(world, '--repair', '--force', '--discard-packs');
    violations.push(...repaired.filter(({ repair }) => repair?.kind !== 'repaired').map(inWords));
    violations.push(...(await check(world)).map(inWords), ...(await leftovers(client, world)));
    const count = (invariant: string) => first.filter((one) => one.invariant === invariant).length;
    return {
      lost,
      violations,
      orphans: count('orphaned_image'),
      unfinished: count('deletion_unfinished'),
    };
  } finally {
    await client.end();
  }
}

async function findLost(client: pg.Client, ledgers: readonly Ledger[]): Promise<string[]> {
  const packs = await client.query<{ id: string; status: string; image_digest: string }>(
    `select 'pack_' || id as id, status, image_digest from packs`,
  );
  const held = await client.query<{ id: string }>(
    `select 'pack_' || pack_id as id from role_packs`,
  );
  const rows = new Map(packs.rows.map((row) => [row.id, row]));
  const attached = new Set(held.rows.map(({ id }) => id));
  const lost = (entry: PackEntry): string[] => {
    const row = rows.get(entry.id);
    const wrongs: string[] = [];
    if (entry.state === 'there' && row === undefined) wrongs.push('the pack is not there');
    if (entry.state === 'there' && row && row.image_digest !== entry.digest) {
      wrongs.push('the pack has another image');
    }
    if (entry.state === 'there' && row && row.status !== 'ACTIVE' && !entry.deletionBegun) {
      wrongs.push(`the pack is ${row.status}`);
    }
    if (entry.state === 'deleted' && row) wrongs.push('the deletion');
    if (entry.attached === true && !attached.has(entry.id)) wrongs.push('the attachment');
    if (entry.attached === false && attached.has(entry.id)) wrongs.push('the detachment');
    return wrongs.map((wrong) => `${entry.name} (${entry.id}): ${wrong}`);
  };
  return ledgers.flatMap(({ packs }) => packs.flatMap(lost));
}

interface Finding {
  readonly invariant: string;
  readonly subject: string;
  readonly detail: string;
  readonly repair: { readonly kind: string; readonly why?: string } | null;
}

/** The command that operators run. */
async function check(world: Judged, ...args: string[]): Promise<Finding[]> {
  const env = { PATH: process.env.PATH, ...world.environment };
  const child = spawn(process.execPath, [CHECK, '--json', ...args], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0 && code !== 1) throw new Error(`check-consistency could not run: ${stderr}`);
  return JSON.parse(stdout).findings;
}

/** An upload without an answer may leave its image, a deletion without one its mark. Nothing else is excused. */
function isExpected({ invariant, subject }: Finding, ledgers: readonly Ledger[]): boolean {
  switch (invariant) {
    case 'orphaned_image': {
      const name = subject.split('@')[0]?.split('/').at(-1) ?? '';
      return ledgers.some(({ doubtfulNames }) => doubtfulNames.has(name));
    }
    case 'deletion_unfinished':
      return ledgers.some(({ packs }) =>
        packs.some(({ id, deletionBegun }) => id === subject && deletionBegun),
      );
    default:
      return false;
  }
}

const inWords = ({ invariant, subject, detail, repair }: Finding): string =>
  `${invariant}: ${subject} ${detail}${repair?.why === undefined ? '' : ` (${repair.why})`}`;

async function deleteAll(client: pg.Client, { replicas }: Judged): Promise<string[]> {
  const { url } = replicas[0];
  const held = await client.query<{ role: string; pack: string }>(
    `select 'role_' || role_id as role, 'pack_' || pack_id as pack from role_packs`,
  );
  const refused: string[] = [];
  for (const { role, pack } of held.rows) {
    const answer = await detachPack(url, role, pack);
    if (answer?.__typename !== 'DetachedPack')
      refused.push(`detachPack: ${JSON.stringify(answer)}`);
  }
  const packs = await client.query<{ id: string }>(`select 'pack_' || id as id from packs`);
  for (const { id } of packs.rows) {
    const answer = await deletePack(url, id);
    if (answer?.__typename !== 'DeletedPack')
      refused.push(`deletePack ${id}: ${JSON.stringify(answer)}`);
  }
  return refused;
}

/** Nothing may be left but the log, which must tell of each pack once that it came and once that it went. */
async function leftovers(client: pg.Client, { registry }: Judged): Promise<string[]> {
  const left: string[] = [];
  const [events] = (
    await client.query<{ made: string; deleted: string; subjects: string }>(
      `select count(*) filter (where type = 'PACK_UPLOADED') as made,
         count(*) filter (where type = 'PACK_DELETED') as deleted,
         count(distinct subject_id) filter (where type = 'PACK_DELETED') as subjects
       from audit_events`,
    )
  ).rows;
  if (events?.made !== events?.deleted || events?.deleted !== events?.subjects) {
    left.push(`events do not add up: ${JSON.stringify(events)}`);
  }
  const store = createDistributionRegistry({ url: registry.directUrl, deadlineMs: 10_000 });
  const listing = await listImages(store, 'packs');
  await store.close();
  if (listing.kind === 'failed') left.push(listing.detail);
  else left.push(...listing.images.map(({ repository }) => `an image is left in ${repository}`));
  return left;
}
