import type { Caller } from '../identity/caller.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';
import { type KeyRow, keyRows } from './find-key.ts';

const LISTED = 'k.org_id = $1::uuid and k.revoked_at is null';

/** Keys of the caller's org that are not revoked, newest first. */
export async function listApiKeys(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  page: PageRequest,
): Promise<Page<KeyRow>> {
  const values: unknown[] = [caller.orgId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = [LISTED, ...placeOf(page, 'k.id', bind)];
  const records = await database.query<object>(
    `select ${keyRows.columns} from api_keys k where ${where.join(' and ')}
     order by k.id ${orderOf(page)} limit ${bind(limitOf(page))}`,
    values,
  );
  return toPage(page, records.map(keyRows.ofRecord));
}

/** How many keys `listApiKeys` would go through. */
export async function countApiKeys(
  { database }: Pick<World, 'database'>,
  caller: Caller,
): Promise<number> {
  const [row] = await database.query<{ count: string | number }>(
    `select count(*) as count from api_keys k where ${LISTED}`,
    [caller.orgId],
  );
  return Number(row?.count ?? 0);
}
