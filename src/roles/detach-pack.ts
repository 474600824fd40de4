import { recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { packIds, roleIds, uuidOf } from '../ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import { findPack } from '../packs/find-pack.ts';
import type { PackRow } from '../packs/pack-row.ts';
import type { Services } from '../services.ts';
import type { RoleAndPack } from './attach-pack.ts';
import { findRole } from './find-role.ts';
import type { RoleRow } from './role-row.ts';

export type DetachPackOutcome =
  | { readonly kind: 'detached'; readonly role: RoleRow; readonly pack: PackRow }
  | ProblemOf<'not_found'>;

/** Takes a pack from a role of the caller's org; where it was not attached nothing changes. */
export async function detachPack(
  { database }: Services,
  caller: Caller,
  input: RoleAndPack,
): Promise<DetachPackOutcome> {
  const roleId = roleIds.parse(input.roleId);
  if (roleId === null) return { kind: 'not_found', subject: 'agent_role', id: input.roleId };
  const packId = packIds.parse(input.packId);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id: input.packId };
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const role = await findRole(em, caller, roleId);
    if (role === null) return { kind: 'not_found', subject: 'agent_role', id: roleId };
    const pack = await findPack(em, caller, packId);
    if (pack === null) return { kind: 'not_found', subject: 'pack', id: packId };
    const removed = await query(
      em,
      'delete from role_packs where role_id = $1 and pack_id = $2 and org_id = $3 returning pack_id',
      [uuidOf(roleId), uuidOf(packId), uuidOf(caller.orgId)],
    );
    if (removed.length > 0) recordEvent(em, caller, 'PACK_DETACHED', packId, { roleId });
    return { kind: 'detached', role, pack };
  });
}
