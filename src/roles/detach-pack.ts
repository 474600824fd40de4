import type { Caller } from '../identity/caller.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { detach } from './attachments.ts';
import { type RoleAndPackIds, withRoleAndPack } from './with-role-and-pack.ts';

export type DetachPackOutcome =
  | { readonly kind: 'detached'; readonly role: RoleRow; readonly pack: PackRow }
  | ProblemOf<'not_found'>;

/** Takes a pack from a role of the caller's org; where it was not attached nothing changes. */
export function detachPack(
  world: World,
  caller: Caller,
  input: RoleAndPackIds,
): Promise<DetachPackOutcome> {
  return withRoleAndPack<DetachPackOutcome>(
    world,
    caller,
    input,
    undefined,
    async (em, role, pack) => {
      await detach(em, caller, role.id, pack.id);
      return { kind: 'detached', role, pack };
    },
  );
}
