import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';
import { recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import { isUniqueViolation } from '../database/sql-state.ts';
import type { Caller } from '../identity/caller.ts';
import { validate } from '../input.ts';
import { AgentRole, roleEnvironments } from '../model/agent-role.entity.ts';
import { type PackId, packIds, type RoleId, roleIds, uuidOf } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { attach } from './attach-pack.ts';
import { findRole } from './find-role.ts';
import { lockAttachablePacks } from './lock-attachable-packs.ts';
import { roleFields } from './role-fields.ts';

const notNull = 'must not be null; leave it out to keep it';

/** A field left out stays as it is; null empties the description and is refused everywhere else. */
const updateAgentRoleInput = z.object({
  name: roleFields.name.nullish().refine((value) => value !== null, notNull),
  displayName: roleFields.displayName.nullish().refine((value) => value !== null, notNull),
  description: roleFields.description.nullish(),
  environment: z
    .enum(roleEnvironments)
    .nullish()
    .refine((value) => value !== null, notNull),
  packIds: roleFields.packIds.nullish().refine((value) => value !== null, notNull),
});

export type UpdateAgentRoleOutcome =
  | { readonly kind: 'role_updated'; readonly role: RoleRow }
  | ProblemOf<'validation_failed' | 'name_taken' | 'not_found' | 'pack_being_deleted'>;

/**
 * Changes the fields that are present, and nothing at all where one of them cannot be changed.
 *
 * `packIds` replaces the whole list. Archived roles can be changed; they stay archived.
 */
export async function updateAgentRole(
  { database }: World,
  caller: Caller,
  id: string,
  input: unknown,
): Promise<UpdateAgentRoleOutcome> {
  const roleId = roleIds.parse(id);
  if (roleId === null) return { kind: 'not_found', subject: 'agent_role', id };
  const valid = validate(updateAgentRoleInput, input);
  if (valid.kind === 'validation_failed') return valid;
  const { packIds: wanted, ...fields } = valid.value;
  try {
    return await database.forOrg(caller.orgId).transactional(async (em) => {
      const role = await findRole(em, caller, roleId, 'update');
      if (role === null) return { kind: 'not_found', subject: 'agent_role', id };
      if (wanted != null) {
        const packs = await lockAttachablePacks(em, caller, wanted);
        if (packs.kind !== 'packs') return packs;
        await detachAllBut(em, caller, roleId, packs.ids);
        await attach(em, caller, roleId, packs.ids);
      }
      const changes = changesTo(role, fields);
      if (Object.keys(changes).length > 0) {
        await em.nativeUpdate(
          AgentRole,
          { id: uuidOf(roleId), org: uuidOf(caller.orgId) },
          { ...changes, updatedAt: new Date() },
        );
        const changed = Object.keys(changes);
        const name = changes.name ?? role.name;
        recordEvent(em, caller, 'AGENT_ROLE_UPDATED', roleId, { name, changed });
      }
      await em.flush();
      const updated = await findRole(em, caller, roleId);
      if (updated === null) throw new Error('a role just changed is not there');
      return { kind: 'role_updated', role: updated };
    });
  } catch (error) {
    if (isUniqueViolation(error) && fields.name != null) {
      return { kind: 'name_taken', subject: 'agent_role', name: fields.name };
    }
    throw error;
  }
}

type Fields = Omit<z.output<typeof updateAgentRoleInput>, 'packIds'>;
type Changes = Partial<Pick<RoleRow, 'name' | 'displayName' | 'description' | 'environment'>>;

/** The fields that are present and not what they are already. */
function changesTo(
  role: RoleRow,
  { name, displayName, description, environment }: Fields,
): Changes {
  return {
    ...(name != null && name !== role.name && { name }),
    ...(displayName != null && displayName !== role.displayName && { displayName }),
    ...(description !== undefined && description !== role.description && { description }),
    ...(environment != null && environment !== role.environment && { environment }),
  };
}

async function detachAllBut(
  em: SqlEntityManager,
  caller: Caller,
  roleId: RoleId,
  kept: readonly PackId[],
): Promise<void> {
  const removed = await query<{ pack_id: string }>(
    em,
    `delete from role_packs where role_id = $1 and org_id = $2 and pack_id <> all($3::uuid[])
     returning pack_id`,
    [uuidOf(roleId), uuidOf(caller.orgId), kept.map(uuidOf)],
  );
  for (const { pack_id } of removed) {
    recordEvent(em, caller, 'PACK_DETACHED', packIds.of(pack_id), { roleId });
  }
}
