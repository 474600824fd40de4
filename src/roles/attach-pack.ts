import type { SqlEntityManager } from '@mikro-orm/sql';
import { recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds, type RoleId, uuidOf } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { type RoleAndPackIds, withRoleAndPack } from './with-role-and-pack.ts';

export type AttachPackOutcome =
  | { readonly kind: 'attached'; readonly role: RoleRow; readonly pack: PackRow }
  | ProblemOf<'not_found' | 'pack_being_deleted'>;

/** Gives a pack to a role of the caller's org; giving it twice changes nothing. */
export async function attachPack(
  world: World,
  caller: Caller,
  input: RoleAndPackIds,
): Promise<AttachPackOutcome> {
  // The lock waits for a deletion that is marking the pack, and makes one that comes later wait for us.
  return withRoleAndPack<AttachPackOutcome>(
    world,
    caller,
    input,
    'share',
    async (em, role, pack) => {
      if (pack.status !== 'ACTIVE') {
        return { kind: 'pack_being_deleted', packId: pack.id, name: pack.name };
      }
      await attach(em, caller, role.id, [pack.id]);
      return { kind: 'attached', role, pack };
    },
  );
}

/** Adds the attachments that are missing, each with its event. The packs must be locked and ACTIVE. */
export async function attach(
  em: SqlEntityManager,
  caller: Caller,
  roleId: RoleId,
  packs: readonly PackId[],
): Promise<void> {
  const added = await query<{ pack_id: string }>(
    em,
    `insert into role_packs (role_id, pack_id, org_id, attached_at)
     select $1, pack_id, $2, clock_timestamp() from unnest($3::uuid[]) as pack_id
     on conflict do nothing returning pack_id`,
    [uuidOf(roleId), uuidOf(caller.orgId), packs.map(uuidOf)],
  );
  for (const { pack_id } of added) {
    recordEvent(em, caller, 'PACK_ATTACHED', packIds.of(pack_id), { roleId });
  }
}
