/** The changes of what a role holds, each with its event in the same transaction. */
import type { SqlEntityManager } from '@mikro-orm/sql';
import { INSERT_EVENTS, recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import { actorOf, type Caller } from '../identity/caller.ts';
import { Attachment } from '../model/attachment.entity.ts';
import { newEventId, type PackId, type RoleId } from '../model/ids.ts';
import { rowsOf } from '../model/rows-of.ts';

const addedRows = rowsOf(Attachment, 'a', ['pack']);

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
  // Of several calls that attach the same pack at once only one adds it and writes the event.
  const added = await em
    .createQueryBuilder(Attachment)
    .insert(wanted)
    .onConflict()
    .ignore()
    .returning('pack')
    // The ORM names what an INSERT returns by the entity's fields, but does not convert it.
    .execute<object[]>('all');
  for (const { pack } of added.map(addedRows.ofRecord)) {
    recordEvent(em, caller, 'PACK_ATTACHED', pack, { roleId: role });
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

/** Inserts PACK_DETACHED for each role that had the pack; answers how many those were. */
const DETACH_FROM_ROLES = `
  with removed as (
    delete from role_packs where pack_id = $1::uuid and org_id = $2::uuid and role_id = any($3::uuid[])
    returning role_id
  ), recorded as (
    ${INSERT_EVENTS}
    select e.id, $2::uuid, 'PACK_DETACHED', $4, $5, $6, e.details::jsonb, $7::timestamptz
    from unnest($3::uuid[], $8::uuid[], $9::text[]) as e (role_id, id, details)
    join removed using (role_id)
  )
  select count(*)::int as count from removed`;

/**
 * Removes the attachments of these roles to one pack, by one statement however many they are: a pack may be in all
 * roles of a big org. The roles must be held, and be told apart.
 * @returns how many had it
 */
export async function detachFromRoles(
  em: SqlEntityManager,
  caller: Caller,
  pack: PackId,
  roles: readonly RoleId[],
): Promise<number> {
  const detachedAt = new Date();
  const [removed] = await query<{ count: number }>(em, DETACH_FROM_ROLES, [
    pack,
    caller.orgId,
    roles,
    actorOf(caller),
    pack,
    caller.requestId,
    detachedAt.toISOString(),
    roles.map(() => newEventId(detachedAt)),
    roles.map((roleId) => JSON.stringify({ roleId })),
  ]);
  return removed?.count ?? 0;
}
