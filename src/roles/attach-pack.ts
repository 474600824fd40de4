import type { Caller } from '../identity/caller.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import { beingDeleted } from '../packs/being-deleted.ts';
import type { World } from '../world.ts';
import { attach } from './attachments.ts';
import { type RoleAndPackIds, withRoleAndPack } from './with-role-and-pack.ts';

export type AttachPackOutcome =
  | { readonly kind: 'attached'; readonly role: RoleRow; readonly pack: PackRow }
  | ProblemOf<'not_found' | 'pack_being_deleted'>;

/** Gives a pack to a role of the caller's org; giving it twice changes nothing. */
export function attachPack(
  world: World,
  caller: Caller,
  input: RoleAndPackIds,
): Promise<AttachPackOutcome> {
  // The lock waits for a deletion that is marking the pack, and makes a later one wait for this transaction.
  return withRoleAndPack<AttachPackOutcome>(
    world,
    caller,
    input,
    'share',
    async (em, role, pack) => {
      if (pack.status !== 'ACTIVE') return beingDeleted(caller, pack);
      await attach(em, caller, role.id, [pack.id]);
      return { kind: 'attached', role, pack };
    },
  );
}
