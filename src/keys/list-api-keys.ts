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
  const values: unknown[] = [uuidOf(caller.orgId)];
  const where = ['org_id = $1', 'revoked_at is null'];
  if (page.olderThan !== null) where.push(`id < $${values.push(page.olderThan)}`);
  if (page.newerThan !== null) where.push(`id > $${values.push(page.newerThan)}`);
  const records = await database.query<KeyRecord>(
    `select ${keyColumns} from api_keys where ${where.join(' and ')}
     order by id ${orderOf(page)} limit $${values.push(limitOf(page))}`,
    values,
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
