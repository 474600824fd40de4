import { recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { uuidOf } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { type RoleAndPackIds, withRoleAndPack } from './with-role-and-pack.ts';

export type DetachPackOutcome =
  | { readonly kind: 'detached'; readonly role: RoleRow; readonly pack: PackRow }
  | ProblemOf<'not_found'>;

/** Takes a pack from a role of the caller's org; where it was not attached nothing changes. */
export async function detachPack(
  world: World,
  caller: Caller,
  input: RoleAndPackIds,
): Promise<DetachPackOutcome> {
  return withRoleAndPack(world, caller, input, undefined, async (em, role, pack) => {
    const removed = await query(
      em,
      'delete from role_packs where role_id = $1 and pack_id = $2 and org_id = $3 returning pack_id',
      [uuidOf(role.id), uuidOf(pack.id), uuidOf(caller.orgId)],
    );
    if (removed.length > 0) recordEvent(em, caller, 'PACK_DETACHED', pack.id, { roleId: role.id });
    return { kind: 'detached' as const, role, pack };
  });
}
