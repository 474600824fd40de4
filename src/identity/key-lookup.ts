import DataLoader from 'dataloader';
import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import type { PermissionSet } from '../keys/api-key.entity.ts';

/** How exactly `lastUsedAt` is kept: writing it on every request would turn each read into a write. */
export const LAST_USED_RESOLUTION = '1 minute';

export interface KeyRecord {
  readonly id: string;
  readonly org_id: string;
  readonly slug: string;
  readonly permission_set: PermissionSet;
  readonly secret_hash: Uint8Array;
  /** `lastUsedAt` is due. */
  readonly stale: boolean;
}

/** Finds a key that is not revoked by the SHA-256 of its secret, or null. */
export type KeyLookup = (hash: Buffer) => Promise<KeyRecord | null>;

/**
 * Requests that come in at the same moment are looked up in one statement, which is sent after all of them: nothing
 * is kept, so a key that was revoked before a request came is not found for it.
 */
export function createKeyLookup(database: Database): KeyLookup {
  const loader = new DataLoader<Buffer, KeyRecord | null>(
    async (hashes) => {
      const records = await database.query<KeyRecord>(
        `select ${acrossOrgs('authenticate')} k.id, k.org_id, o.slug, k.permission_set, k.secret_hash,
           (k.last_used_at is null or k.last_used_at < now() - interval '${LAST_USED_RESOLUTION}') as stale
         from api_keys k join orgs o on o.id = k.org_id
         where k.secret_hash = any($1) and k.revoked_at is null`,
        [[...new Map(hashes.map((hash) => [textOf(hash), hash])).values()]],
      );
      const found = new Map(records.map((record) => [textOf(record.secret_hash), record]));
      return hashes.map((hash) => found.get(textOf(hash)) ?? null);
    },
    // By the end of this turn of the event loop all sockets that had something to read have been read.
    { cache: false, maxBatchSize: 100, batchScheduleFn: (send) => void setImmediate(send) },
  );
  return (hash) => loader.load(hash);
}

const textOf = (hash: Uint8Array): string => Buffer.from(hash).toString('latin1');
