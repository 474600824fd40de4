/** W5: deletePack of an uploaded pack, next to its unavoidable parts, each timed alone and in turn. */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { addDeletablePacks, type DataSet } from './data-set.ts';
import { type DeletionSplit, splitDeletions } from './deletion-split.ts';
import { packArchive } from './pack-archive.ts';
import type { Server } from './servers.ts';
import { median } from './summary.ts';

/** Medians, milliseconds. */
export interface ManagedDeletion {
  readonly count: number;
  readonly deletePackMs: number;
  /** Two transactions: lock, mark, record; delete, record. */
  readonly transactionsMs: number;
  /** One DELETE of a manifest, by digest. */
  readonly registryDeleteMs: number;
  readonly ratio: number;
  /** Of as many further deletions. */
  readonly split: DeletionSplit;
}

/** Sends a request to the service, wherever it runs; answers the body. */
type Send = (path: string, init: RequestInit) => Promise<string>;

const query = readFileSync(new URL('../operations/delete-pack.graphql', import.meta.url), 'utf8');

interface Uploaded {
  readonly id: string;
  readonly image_ref: string;
  readonly image_digest: string;
}

export async function measureManagedDeletion(
  database: pg.Client,
  server: Server,
  environment: { readonly [name in 'DATABASE_URL' | 'REGISTRY_URL' | 'DATA_DIR']: string },
  data: DataSet,
  count: number,
): Promise<ManagedDeletion> {
  const send: Send = async (path, init) => (await fetch(`${server.origin}${path}`, init)).text();
  const uploads: Uploaded[] = [];
  for (let i = 0; i < 2 * (count + WARM_UP); i++) {
    uploads.push(await upload(send, data.deletingKey, `managed-${i}`));
  }
  const rows = await addDeletablePacks(database, data.deletingOrgId, count + WARM_UP);
  const whole: number[] = [];
  const transactions: number[] = [];
  const deletes: number[] = [];
  for (const [i, row] of rows.entries()) {
    const [managed, plain] = [uploads[2 * i], uploads[2 * i + 1]];
    if (managed === undefined || plain === undefined) throw new Error('too few uploads');
    whole.push(await timed(() => deletePack(send, data.deletingKey, managed.id)));
    transactions.push(await timed(() => twoTransactions(database, data.deletingOrgId, row)));
    deletes.push(await timed(() => deleteManifest(environment.REGISTRY_URL, plain)));
  }
  const middle = (all: readonly number[]) => median(all.slice(WARM_UP)) ?? 0;
  const split = await splitDeletions(
    { ...environment, LOG_LEVEL: 'warn' },
    async (send) => {
      const deletions: (() => Promise<void>)[] = [];
      for (let i = 0; i < count + WARM_UP; i++) {
        const { id } = await upload(send, data.deletingKey, `split-${i}`);
        deletions.push(() => deletePack(send, data.deletingKey, id));
      }
      return deletions;
    },
    WARM_UP,
  );
  const parts = middle(transactions) + middle(deletes);
  return {
    count,
    deletePackMs: middle(whole),
    transactionsMs: middle(transactions),
    registryDeleteMs: middle(deletes),
    ratio: middle(whole) / parts,
    split,
  };
}

/** Deletions that are not counted. */
const WARM_UP = 10;

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function upload(send: Send, key: string, name: string): Promise<Uploaded> {
  const body = new FormData();
  body.set('visibility', 'org');
  body.set('archive', new File([new Uint8Array(packArchive(name))], 'pack.tar.gz'));
  const headers = { authorization: `Bearer ${key}` };
  const text = await send('/v1/packs/upload', { method: 'POST', headers, body });
  if (!text.includes('"image_digest"')) throw new Error(`upload: ${text}`);
  // The service's own answer, whose schema is its OpenAPI document.
  return JSON.parse(text) as Uploaded;
}

async function deletePack(send: Send, key: string, id: string): Promise<void> {
  const text = await send('/graphql', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { id } }),
  });
  if (!text.includes('"PURGED"')) throw new Error(`deletePack: ${text}`);
}

async function twoTransactions(database: pg.Client, orgId: string, id: string): Promise<void> {
  const statement = (name: string, text: string, values: unknown[]) =>
    database.query({ name, text, values });
  await database.query('begin');
  await statement('w5-lock', 'select * from packs where id = $1 and org_id = $2 for update', [
    id,
    orgId,
  ]);
  await statement('w5-mark', `update packs set status = 'DELETING' where id = $1 and org_id = $2`, [
    id,
    orgId,
  ]);
  await statement('w5-started', recorded('PACK_DELETION_STARTED'), [orgId, `pack_${id}`]);
  await database.query('commit');
  await database.query('begin');
  await statement('w5-delete', 'delete from packs where id = $1 and org_id = $2', [id, orgId]);
  await statement('w5-deleted', recorded('PACK_DELETED'), [orgId, `pack_${id}`]);
  await database.query('commit');
}

const recorded = (type: string) => `
  insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
  values (uuidv7(), $1, '${type}', 'bench', $2, 'bench', '{}', now())`;

async function deleteManifest(registryUrl: string, { image_ref, image_digest }: Uploaded) {
  const path = image_ref.slice(image_ref.indexOf('/') + 1, image_ref.lastIndexOf(':'));
  const url = `${registryUrl}/v2/${path}/manifests/${image_digest}`;
  const answer = await fetch(url, { method: 'DELETE' });
  await answer.text();
  if (answer.status !== 202) throw new Error(`DELETE ${url}: ${answer.status}`);
}
