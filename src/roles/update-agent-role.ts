import { z } from 'zod';
import { recordEvent } from '../audit/record-event.ts';
import { isUniqueViolation } from '../database/sql-state.ts';
import type { Caller } from '../identity/caller.ts';
import { validate } from '../input.ts';
import { roleEnvironments } from '../model/agent-role.entity.ts';
import { roleIds } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { attach, detachAllBut } from './attachments.ts';
import { lockRole } from './find-role.ts';
import { lockAttachablePacks } from './lock-attachable-packs.ts';
import { roleFields } from './role-fields.ts';
import { roleNameTaken } from './role-name-taken.ts';

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
      const role = await lockRole(em, roleId);
      if (role === null) return { kind: 'not_found', subject: 'agent_role', id };
      if (wanted != null) {
        const packs = await lockAttachablePacks(em, caller, wanted);
        if (packs.kind !== 'packs') return packs;
        await detachAllBut(em, caller, roleId, packs.ids);
        await attach(em, caller, roleId, packs.ids);
      }
      const changes = changesTo(role, fields);
      const changed = Object.keys(changes);
      if (changed.length > 0) {
        em.assign(role, changes);
        recordEvent(em, caller, 'AGENT_ROLE_UPDATED', roleId, { name: role.name, changed });
      }
      return { kind: 'role_updated', role };
    });
  } catch (error) {
    if (isUniqueViolation(error) && fields.name != null) {
      return roleNameTaken(database, caller, fields.name);
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
