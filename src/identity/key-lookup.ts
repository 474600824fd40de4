import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import { gathered } from '../database/gathered.ts';
import type { PermissionSet } from '../model/api-key.entity.ts';

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

/** The lookup, for many requests in one statement. */
export const createKeyLookup = (database: Database): KeyLookup =>
  gathered(async (hashes: readonly Buffer[]) => {
    const records = await database.query<KeyRecord>(
      `select ${acrossOrgs('authenticate')} k.id, k.org_id, o.slug, k.permission_set, k.secret_hash,
         (k.last_used_at is null or k.last_used_at < now() - interval '${LAST_USED_RESOLUTION}') as stale
       from api_keys k join orgs o on o.id = k.org_id
       where k.secret_hash = any($1) and k.revoked_at is null`,
      [[...new Map(hashes.map((hash) => [textOf(hash), hash])).values()]],
    );
    const found = new Map(records.map((record) => [textOf(record.secret_hash), record]));
    return hashes.map((hash) => found.get(textOf(hash)) ?? null);
  });

const textOf = (hash: Uint8Array): string => Buffer.from(hash).toString('latin1');
