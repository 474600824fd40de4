/** The deletion of packs whose image is not ours to purge: the database has it to itself. */
import type { Database } from '../database/database.ts';
import { type Gathered, inPlaces, type Placed, type Query } from '../database/gathered.ts';
import { isStillReferenced } from '../database/sql-state.ts';
import { actorOf, type Caller } from '../identity/caller.ts';
import { newEventId } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import { REMOVE_UNMANAGED } from './deletion-statements.ts';
import type { Changed, DeletedPack } from './deletion-steps.ts';

/**
 * Removes a pack that a verdict found free and unmanaged, together with the writing of its event; for many requests in
 * one statement, which share its round trip and its commit.
 */
export const removeUnmanaged = (database: Database, wanted: Wanted): Promise<Outcome> =>
  database.gather(removals, wanted);

type Outcome = DeletedPack | Changed;

interface Wanted {
  readonly caller: Caller;
  readonly pack: PackRow;
  /** The row's last change, where it must not have changed again. */
  readonly unchangedSince: Date | null;
}

const removals: Gathered<Wanted, Outcome> = async (query, wanted) => {
  try {
    return await removeAll(query, wanted);
  } catch (error) {
    // A role took the pack after the statement's snapshot was taken; the foreign key saw it. Of several packs each is
    // tried again by itself.
    if (wanted.length > 1 || !isStillReferenced(error)) throw error;
    return [{ kind: 'changed' }];
  }
};

async function removeAll(query: Query, wanted: readonly Wanted[]): Promise<Outcome[]> {
  const deletedAt = new Date();
  const packs = wanted.map(({ pack }) => pack.id);
  const records = await query<Placed & { image: DeletedPack['image'] }>(REMOVE_UNMANAGED, [
    packs,
    wanted.map(({ caller }) => caller.orgId),
    wanted.map(() => newEventId(deletedAt)),
    wanted.map(({ caller }) => actorOf(caller)),
    packs,
    wanted.map(({ caller }) => caller.requestId),
    deletedAt.toISOString(),
    wanted.map(({ unchangedSince }) => unchangedSince?.toISOString() ?? null),
  ]);
  const removed = inPlaces(wanted, records);
  return wanted.map(({ pack: { id, name } }, index) => {
    const image = removed[index]?.image;
    return image === undefined
      ? { kind: 'changed' }
      : { kind: 'deleted', id, name, deletedAt, image, remainingTags: [] };
  });
}
