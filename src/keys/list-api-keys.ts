import type { Caller } from '../identity/caller.ts';
import { uuidOf } from '../model/ids.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';
import { type KeyRecord, type KeyRow, keyColumns, toKeyRow } from './find-key.ts';

/** Keys of the caller's org that are not revoked, newest first. */
export async function listApiKeys(
  { database }: World,
  caller: Caller,
  page: PageRequest,
): Promise<Page<KeyRow>> {
  const values: unknown[] = [uuidOf(caller.orgId)];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = ['org_id = $1', 'revoked_at is null', ...placeOf(page, 'id', bind)];
  const records = await database.query<KeyRecord>(
    `select ${keyColumns} from api_keys where ${where.join(' and ')}
     order by id ${orderOf(page)} limit ${bind(limitOf(page))}`,
    values,
  );
  return toPage(page, records.map(toKeyRow));
}

/** How many keys `listApiKeys` would go through. */
export async function countApiKeys({ database }: World, caller: Caller): Promise<number> {
  const [row] = await database.query<{ count: string | number }>(
    'select count(*) as count from api_keys where org_id = $1 and revoked_at is null',
    [uuidOf(caller.orgId)],
  );
  return Number(row?.count ?? 0);
}
