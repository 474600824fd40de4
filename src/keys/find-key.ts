import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Database, query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import type { PermissionSet } from '../model/api-key.entity.ts';
import { type KeyId, keyIds, uuidOf } from '../model/ids.ts';

/** An API key as reads see it: never its secret. */
export interface KeyRow {
  readonly id: KeyId;
  readonly label: string;
  readonly prefix: string;
  readonly permissionSet: PermissionSet;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

export const keyColumns = 'id, label, prefix, permission_set, created_at, last_used_at';

/** A record that `keyColumns` selects. */
export interface KeyRecord {
  readonly id: string;
  readonly label: string;
  readonly prefix: string;
  readonly permission_set: PermissionSet;
  readonly created_at: string;
  readonly last_used_at: string | null;
}

export const toKeyRow = (record: KeyRecord): KeyRow => ({
  id: keyIds.of(record.id),
  label: record.label,
  prefix: record.prefix,
  permissionSet: record.permission_set,
  createdAt: new Date(record.created_at),
  lastUsedAt: record.last_used_at === null ? null : new Date(record.last_used_at),
});

/** Keys of the caller's org that are not revoked, in no particular order. */
export async function findKeys(
  source: SqlEntityManager | Database,
  caller: Caller,
  ids: readonly KeyId[],
): Promise<KeyRow[]> {
  const records = await query<KeyRecord>(
    source,
    `select ${keyColumns} from api_keys
     where org_id = $1 and id = any($2) and revoked_at is null`,
    [uuidOf(caller.orgId), ids.map(uuidOf)],
  );
  return records.map(toKeyRow);
}
