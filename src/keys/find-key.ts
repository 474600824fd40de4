import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import type { KeyId } from '../model/ids.ts';
import { rowsOf } from '../model/rows-of.ts';

const keyFields = ['id', 'label', 'prefix', 'permissionSet', 'createdAt', 'lastUsedAt'] as const;

/** An API key as reads see it: never its secret, nor the hash of it. */
export type KeyRow = Readonly<Pick<ApiKey, (typeof keyFields)[number]>>;

/** Statements must call the table `k`. */
export const keyRows = rowsOf(ApiKey, 'k', keyFields);

/** Keys of the caller's org that are not revoked, in no particular order. */
export const findKeys = (
  database: Database,
  caller: Caller,
  ids: readonly KeyId[],
): Promise<KeyRow[]> =>
  database
    .forOrg(caller.orgId)
    .find(ApiKey, { id: { $in: [...ids] }, revokedAt: null }, { fields: keyFields });
