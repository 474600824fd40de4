import { z } from 'zod';
import { recordEvent } from '../audit/record-event.ts';
import { isUniqueViolation } from '../database/sql-state.ts';
import type { Caller } from '../identity/caller.ts';
import { validate } from '../input.ts';
import { AgentRole, roleEnvironments } from '../model/agent-role.entity.ts';
import { roleIds } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { attach } from './attachments.ts';
import { lockAttachablePacks } from './lock-attachable-packs.ts';
import { roleFields } from './role-fields.ts';
import { roleNameTaken } from './role-name-taken.ts';

const createAgentRoleInput = z.object({
  name: roleFields.name,
  displayName: roleFields.displayName.nullish(),
  description: roleFields.description.nullish(),
  environment: z.enum(roleEnvironments).default('DEVELOPMENT'),
  packIds: roleFields.packIds.default([]),
});

export type CreateAgentRoleOutcome =
  | { readonly kind: 'created'; readonly role: RoleRow }
  | ProblemOf<'validation_failed' | 'name_taken' | 'not_found' | 'pack_being_deleted'>;

/** Makes a role, with its first packs attached, or nothing at all. */
export async function createAgentRole(
  { database }: World,
  caller: Caller,
  input: unknown,
): Promise<CreateAgentRoleOutcome> {
  const valid = validate(createAgentRoleInput, input);
  if (valid.kind === 'validation_failed') return valid;
  const { name, displayName, description, environment, packIds } = valid.value;
  try {
    return await database.forOrg(caller.orgId).transactional(async (em) => {
      const packs = await lockAttachablePacks(em, caller, packIds);
      if (packs.kind !== 'packs') return packs;
      const role = em.create(AgentRole, {
        id: roleIds.create(),
        org: caller.orgId,
        name,
        displayName: displayName ?? name,
        description: description ?? null,
        environment,
        archivedAt: null,
      });
      recordEvent(em, caller, 'AGENT_ROLE_CREATED', role.id, { name, environment });
      // The attachments refer to it.
      if (packs.ids.length > 0) await em.flush();
      await attach(em, caller, role.id, packs.ids);
      return { kind: 'created', role };
    });
  } catch (error) {
    if (isUniqueViolation(error)) return roleNameTaken(database, caller, name);
    throw error;
  }
}
