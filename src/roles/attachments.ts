/** The changes of what a role holds, each with its event in the same transaction. */
import type { SqlEntityManager } from '@mikro-orm/sql';
import { recordEvent } from '../audit/record-event.ts';
import type { Caller } from '../identity/caller.ts';
import { Attachment } from '../model/attachment.entity.ts';
import { type PackId, packIds, type RoleId } from '../model/ids.ts';

/** Adds the attachments that are missing. The role must be held, and the packs locked and ACTIVE. */
export async function attach(
  em: SqlEntityManager,
  caller: Caller,
  role: RoleId,
  packs: readonly PackId[],
): Promise<void> {
  if (packs.length === 0) return;
  const attachedAt = new Date();
  const wanted = packs.map((pack) => ({ role, pack, org: caller.orgId, attachedAt }));
  // Whoever attaches the same at the same moment adds it once, and writes one event.
  const added = await em
    .createQueryBuilder(Attachment)
    .insert(wanted)
    .onConflict()
    .ignore()
    .returning('pack')
    .execute<{ pack: string }[]>('all');
  for (const { pack } of added) {
    // What an INSERT returns is named by the entity, but not converted.
    recordEvent(em, caller, 'PACK_ATTACHED', packIds.of(pack), { roleId: role });
  }
}

/** Removes the attachments to all packs but these. The role must be locked. */
export async function detachAllBut(
  em: SqlEntityManager,
  caller: Caller,
  role: RoleId,
  kept: readonly PackId[],
): Promise<void> {
  const others = await em.find(Attachment, { role, pack: { $nin: [...kept] } });
  if (others.length === 0) return;
  const packs = others.map(({ pack }) => pack);
  await em.nativeDelete(Attachment, { role, pack: { $in: packs } });
  for (const pack of packs) recordEvent(em, caller, 'PACK_DETACHED', pack, { roleId: role });
}

/** Removes one attachment, where it is there. */
export async function detach(
  em: SqlEntityManager,
  caller: Caller,
  role: RoleId,
  pack: PackId,
): Promise<void> {
  const removed = await em.nativeDelete(Attachment, { role, pack });
  if (removed > 0) recordEvent(em, caller, 'PACK_DETACHED', pack, { roleId: role });
}
