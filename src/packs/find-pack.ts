import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Database, query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { type PackId, uuidOf } from '../model/ids.ts';
import { type PackArray, type PackRow, packAsArray, packOfArray } from '../model/pack-row.ts';

/**
 * A condition: the packs that an org may see, as `Pack`'s tenant filter says it to the ORM. The statement must call
 * the table `p`.
 */
export const visibleTo = (org: '$1' | 'k.org_id'): string =>
  `(p.org_id = ${org} or p.visibility = 'COMMUNITY' or p.org_id is null)`;

/**
 * Packs by id, as far as the caller may see them; in no particular order.
 * @param lock `share` makes a deletion that comes later wait for this transaction; `update` any other change too
 */
export async function findPacks(
  source: SqlEntityManager | Database,
  caller: Caller,
  ids: readonly PackId[],
  lock?: 'share' | 'update',
): Promise<PackRow[]> {
  const records = await query<{ pack: PackArray }>(
    source,
    // Locked in the order of ids, so that two transactions never wait for each other.
    `select ${packAsArray('whole')} as pack from packs p where p.id = any($2) and ${visibleTo('$1')}
     ${lock === undefined ? '' : `order by p.id for ${lock}`}`,
    [uuidOf(caller.orgId), ids.map(uuidOf)],
  );
  return records.map(({ pack }) => packOfArray(pack));
}

/** One pack that the caller may see, or null. */
export async function findPack(
  source: SqlEntityManager | Database,
  caller: Caller,
  id: PackId,
  lock?: 'share' | 'update',
): Promise<PackRow | null> {
  const [pack] = await findPacks(source, caller, [id], lock);
  return pack ?? null;
}
