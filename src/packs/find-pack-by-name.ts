import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { Pack } from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';
import { SLUG } from '../slug.ts';

/** The pack of the caller's own org that has a name, or null. */
export async function findPackByName(
  database: Database,
  caller: Caller,
  name: string,
): Promise<PackRow | null> {
  // The ORM goes through what it is asked for letter by letter, and no name is long.
  if (!SLUG.test(name)) return null;
  return database.forOrg(caller.orgId).findOne(Pack, { name });
}
