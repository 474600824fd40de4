import type { Caller } from '../identity/caller.ts';
import { uuidOf } from '../ids.ts';
import { limitOf, orderOf, type Page, type PageRequest, toPage } from '../page.ts';
import type { Services } from '../services.ts';
import { type KeyRecord, type KeyRow, keyColumns, toKeyRow } from './find-key.ts';

/** Keys of the caller's org that are not revoked, newest first. */
export async function listApiKeys(
  { database }: Services,
  caller: Caller,
  page: PageRequest,
): Promise<Page<KeyRow>> {
  const records = await database.query<KeyRecord>(
    `select ${keyColumns} from api_keys
     where org_id = $1 and revoked_at is null
       and ($2::uuid is null or id < $2) and ($3::uuid is null or id > $3)
     order by id ${orderOf(page)} limit $4`,
    [uuidOf(caller.orgId), page.olderThan, page.newerThan, limitOf(page)],
  );
  return toPage(page, records.map(toKeyRow));
}

/** How many keys `listApiKeys` would go through. */
export async function countApiKeys({ database }: Services, caller: Caller): Promise<number> {
  const [row] = await database.query<{ count: string | number }>(
    'select count(*) as count from api_keys where org_id = $1 and revoked_at is null',
    [uuidOf(caller.orgId)],
  );
  return Number(row?.count ?? 0);
}
