import { LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Database, query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import type { PackId } from '../model/ids.ts';
import { Pack } from '../model/pack.entity.ts';
import { type PackRow, packRows } from '../model/pack-row.ts';

/**
 * A condition: the packs that an org may see, its own, shared ones and those of the platform. What is read by it are
 * rows and never entities, so that nothing but an org's own packs is ever written. The statement must call the table
 * `p`.
 */
export const visibleTo = (org: '$1::uuid' | 'k.org_id'): string =>
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
  const records = await query<object>(
    source,
    // Locked in the order of ids, so that two transactions never wait for each other.
    `select ${packRows.whole.columns} from packs p where p.id = any($2::uuid[]) and ${visibleTo('$1::uuid')}
     ${lock === undefined ? '' : `order by p.id for ${lock}`}`,
    [caller.orgId, ids],
  );
  return records.map(packRows.whole.ofRecord);
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

/** A pack of the caller's own org, locked until the transaction of `em` ends, to be changed in it; or null. */
export const lockPack = (em: SqlEntityManager, id: PackId): Promise<Pack | null> =>
  em.findOne(Pack, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
