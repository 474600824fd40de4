/** An agent role as REST writes it. */
import { z } from '@hono/zod-openapi';
import type { Caller } from '../../identity/caller.ts';
import { roleEnvironments } from '../../model/agent-role.entity.ts';
import type { PackId } from '../../model/ids.ts';
import type { RoleRow } from '../../model/role-row.ts';
import { packIdsOfRoles } from '../../roles/pack-ids-of-roles.ts';
import type { World } from '../../world.ts';
import { enumOut, lowerCase } from '../letter-case.ts';

export const roleSchema = z
  .object({
    id: z.string().openapi({ description: 'Starts with role_.' }),
    name: z.string().openapi({ description: 'Unique in the org.' }),
    display_name: z.string().openapi({ description: 'The name for people.' }),
    description: z.string().nullable(),
    environment: enumOut(roleEnvironments).openapi({ description: 'Where its agents run.' }),
    archived_at: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'Null while it is in use. An archived role still holds its packs.' }),
    pack_ids: z.array(z.string()).openapi({ description: 'All its packs, the newest first.' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi('AgentRole');

type RoleJson = z.input<typeof roleSchema>;

/**
 * Roles with the ids of their packs: one statement, however many there are. Where these are too many together, only the
 * first of the roles are answered.
 */
export async function rolesJson(
  world: World,
  caller: Caller,
  roles: readonly RoleRow[],
): Promise<RoleJson[]> {
  const packIds = await packIdsOfRoles(
    world,
    caller,
    roles.map(({ id }) => id),
  );
  return roles.flatMap((role, index) => {
    const ids = packIds[index] ?? null;
    return ids === null ? [] : jsonOf(role, ids);
  });
}

const jsonOf = (role: RoleRow, packIds: readonly PackId[]): RoleJson => ({
  id: role.id,
  name: role.name,
  display_name: role.displayName,
  description: role.description,
  environment: lowerCase(role.environment),
  archived_at: role.archivedAt?.toISOString() ?? null,
  pack_ids: [...packIds],
  created_at: role.createdAt.toISOString(),
  updated_at: role.updatedAt.toISOString(),
});

export async function roleJson(world: World, caller: Caller, role: RoleRow): Promise<RoleJson> {
  const [json] = await rolesJson(world, caller, [role]);
  if (json === undefined) throw new Error('one role gave no JSON');
  return json;
}
