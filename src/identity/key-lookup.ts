import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import type { Gathered } from '../database/gathered.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { rowsOf } from '../model/rows-of.ts';

/** How exactly `lastUsedAt` is kept: writing it on every request would turn each read into a write. */
export const LAST_USED_RESOLUTION = '1 minute';

/** What else than the key's own row is read of it. */
interface Beside {
  readonly slug: string;
  readonly secret_hash: Uint8Array;
  /** `lastUsedAt` is due. */
  readonly stale: boolean;
}

const keyRows = rowsOf(ApiKey, 'k', ['id', 'org', 'permissionSet']);

export type KeyRecord = ReturnType<typeof keyRows.ofRecord> & Beside;

/** The key, not revoked, whose secret has this SHA-256, or null; for many requests in one statement. */
export const findKeyByHash = (database: Database, hash: Buffer): Promise<KeyRecord | null> =>
  database.gather(keysByHash, hash);

const keysByHash: Gathered<Buffer, KeyRecord | null> = async (query, hashes) => {
  const records = await query<Beside>(
    `select ${acrossOrgs('authenticate')} ${keyRows.columns}, o.slug, k.secret_hash,
       (k.last_used_at is null or k.last_used_at < now() - interval '${LAST_USED_RESOLUTION}') as stale
     from api_keys k join orgs o on o.id = k.org_id
     where k.secret_hash = any($1) and k.revoked_at is null`,
    [[...new Map(hashes.map((hash) => [textOf(hash), hash])).values()]],
  );
  const found = new Map(
    records.map((record) => [textOf(record.secret_hash), keyRows.ofRecord(record)]),
  );
  return hashes.map((hash) => found.get(textOf(hash)) ?? null);
};

const textOf = (hash: Uint8Array): string => Buffer.from(hash).toString('latin1');
