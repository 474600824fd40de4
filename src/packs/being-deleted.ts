import type { Caller } from '../identity/caller.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';

/** The refusal to use a pack that the caller sees, and perhaps another org owns. */
export const beingDeleted = (
  caller: Caller,
  { id: packId, name, org }: Pick<PackRow, 'id' | 'name' | 'org'>,
): ProblemOf<'pack_being_deleted'> => ({
  kind: 'pack_being_deleted',
  packId,
  name,
  owned: org === caller.orgId,
});
