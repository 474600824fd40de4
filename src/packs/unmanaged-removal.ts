/** The deletion of packs whose image is not ours to purge: the database has it to itself. */
import type { Database } from '../database/database.ts';
import { type Gathered, inPlaces, type Placed, type Query } from '../database/gathered.ts';
import { isStillReferenced } from '../database/sql-state.ts';
import { actorOf, type Caller } from '../identity/caller.ts';
import { newUuid, uuidOf } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import { type Changed, type DeletedPack, RECORD_REMOVED } from './deletion-steps.ts';
import { deletionVerdict } from './deletion-verdict.ts';

/**
 * Removes a pack that a verdict found free and unmanaged, together with the writing of its event; for many requests in
 * one statement, which share its round trip and its commit.
 */
export const removeUnmanaged = (
  database: Database,
  caller: Caller,
  pack: PackRow,
): Promise<Outcome> => database.gather(removals, { caller, pack });

type Outcome = DeletedPack | Changed;

interface Wanted {
  readonly caller: Caller;
  readonly pack: PackRow;
}

const removals: Gathered<Wanted, Outcome> = async (query, wanted) => {
  try {
    return await removeAll(query, wanted);
  } catch (error) {
    // A role took one of the packs after the statement's snapshot was taken; the foreign key saw it.
    if (!isStillReferenced(error)) throw error;
    if (wanted.length === 1) return [{ kind: 'changed' }];
    return (await Promise.all(wanted.map((one) => removals(query, [one])))).flat();
  }
};

async function removeAll(query: Query, wanted: readonly Wanted[]): Promise<Outcome[]> {
  const deletedAt = new Date();
  const records = await query<Placed & { image: DeletedPack['image'] }>(REMOVE_UNMANAGED, [
    wanted.map(({ pack }) => uuidOf(pack.id)),
    wanted.map(({ caller }) => uuidOf(caller.orgId)),
    wanted.map(() => newUuid()),
    wanted.map(({ caller }) => actorOf(caller)),
    wanted.map(({ pack }) => pack.id),
    wanted.map(({ caller }) => caller.requestId),
    deletedAt.toISOString(),
  ]);
  const removed = inPlaces(wanted, records);
  return wanted.map(({ pack: { id, name } }, index) => {
    const image = removed[index]?.image;
    return image === undefined
      ? { kind: 'changed' }
      : { kind: 'deleted', id, name, deletedAt, image, remainingTags: [] };
  });
}

// The verdict is asked for again, of the row as it is under the lock: whatever has changed since, or is being changed
// right now, leaves it for another look. So nothing is waited for, and no order of locks can deadlock.
const REMOVE_UNMANAGED = `
  with target as materialized (
    select p.id, k.*, ${deletionVerdict}
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
      with ordinality as k (pack_id, org_id, event_id, actor, subject_id, request_id, place)
    join packs p on p.id = k.pack_id and p.org_id = k.org_id
    for update of p skip locked
  ), removed as (
    delete from packs p using target t
    where p.id = t.id and not t.in_use and t.image <> 'PURGED'
    returning t.place, t.event_id, p.org_id, t.actor, t.subject_id, t.request_id,
      $7::timestamptz as deleted_at, p.name, p.version, p.image_ref, p.image_digest, t.image,
      '{}'::text[] as remaining_tags
  ), recorded as (${RECORD_REMOVED})
  select place, image from removed`;
