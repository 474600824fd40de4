import { z } from 'zod';
import { recordEvent } from '../audit/record-event.ts';
import { isUniqueViolation } from '../database/sql-state.ts';
import type { Caller } from '../identity/caller.ts';
import { validate } from '../input.ts';
import { AgentRole, roleEnvironments } from '../model/agent-role.entity.ts';
import { newUuid, roleIds, uuidOf } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { attach } from './attach-pack.ts';
import { findRole } from './find-role.ts';
import { lockAttachablePacks } from './lock-attachable-packs.ts';
import { roleFields } from './role-fields.ts';

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
  const uuid = newUuid();
  const roleId = roleIds.of(uuid);
  try {
    return await database.forOrg(caller.orgId).transactional(async (em) => {
      const packs = await lockAttachablePacks(em, caller, packIds);
      if (packs.kind !== 'packs') return packs;
      const now = new Date();
      em.create(AgentRole, {
        id: uuid,
        org: uuidOf(caller.orgId),
        name,
        displayName: displayName ?? name,
        description: description ?? null,
        environment,
        archivedAt: null,
        createdAt: now,
        updatedAt: now,
      });
      recordEvent(em, caller, 'AGENT_ROLE_CREATED', roleId, { name, environment });
      await em.flush();
      await attach(em, caller, roleId, packs.ids);
      const role = await findRole(em, caller, roleId);
      if (role === null) throw new Error('a role just made is not there');
      return { kind: 'created', role };
    });
  } catch (error) {
    if (isUniqueViolation(error)) return { kind: 'name_taken', subject: 'agent_role', name };
    throw error;
  }
}
