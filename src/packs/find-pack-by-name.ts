import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { Pack } from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';

/** The pack of the caller's own org that has a name, or null. */
export async function findPackByName(
  database: Database,
  caller: Caller,
  name: string,
): Promise<PackRow | null> {
  // PostgreSQL's text holds no NUL, so no name does.
  if (name.includes('\0')) return null;
  return database.forOrg(caller.orgId).findOne(Pack, { name });
}
