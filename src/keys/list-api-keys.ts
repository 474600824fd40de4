import type { Caller } from '../identity/caller.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { keyIds } from '../model/ids.ts';
import { onPage, type Page, type PageRequest, toPage } from '../page.ts';
import type { World } from '../world.ts';
import { type KeyRow, keyFields } from './find-key.ts';

/** Keys of the caller's org that are not revoked, newest first. */
export async function listApiKeys(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  page: PageRequest,
): Promise<Page<KeyRow>> {
  const { place, options } = onPage(page, keyIds);
  const keys = await database
    .forOrg(caller.orgId)
    .find(ApiKey, { ...place, revokedAt: null }, { ...options, fields: keyFields });
  return toPage(page, keys);
}

/** How many keys `listApiKeys` would go through. */
export const countApiKeys = (
  { database }: Pick<World, 'database'>,
  caller: Caller,
): Promise<number> => database.forOrg(caller.orgId).count(ApiKey, { revokedAt: null });
