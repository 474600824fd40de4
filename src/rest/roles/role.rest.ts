import { z } from '@hono/zod-openapi';
import { roleEnvironments } from '../../model/agent-role.entity.ts';
import { roleIds } from '../../model/ids.ts';
import { type RoleRow, roleRows } from '../../model/role-row.ts';
import type { ProblemOf } from '../../outcomes.ts';
import { archiveAgentRole } from '../../roles/archive-agent-role.ts';
import { createAgentRole } from '../../roles/create-agent-role.ts';
import { findRole } from '../../roles/find-role.ts';
import { listAgentRoles } from '../../roles/list-agent-roles.ts';
import { roleFields } from '../../roles/role-fields.ts';
import { unarchiveAgentRole } from '../../roles/unarchive-agent-role.ts';
import { updateAgentRole } from '../../roles/update-agent-role.ts';
import { noQuery } from '../declaration.ts';
import { enumIn, enumInOr } from '../letter-case.ts';
import { type Operation, operation } from '../operation.ts';
import { nextCursor, nextCursorOf, pageOf, pageQuery, shareOfPage } from '../paging.ts';
import { jsonBody, noBody } from '../read-input.ts';
import { roleJson, roleSchema, rolesJson } from './role-json.rest.ts';

const tag = 'Agent roles';

type FoundRole = { readonly kind: 'found'; readonly role: RoleRow } | ProblemOf<'not_found'>;

const list = operation({
  method: 'get',
  path: '/v1/agent-roles',
  operationId: 'listAgentRoles',
  summary: 'Roles of the org, newest first.',
  tag,
  needs: null,
  query: z.object({
    ...pageQuery,
    include_archived: z
      .enum(['true', 'false'])
      .transform((value) => value === 'true')
      .optional()
      .openapi({ type: 'boolean', default: false, description: 'Archived roles as well.' }),
  }),
  body: noBody,
  problems: {},
  success: {
    status: 200,
    description: 'A page of roles.',
    schema: z.object({ agent_roles: z.array(roleSchema), ...nextCursor }),
  },
  run: async (world, caller, { query }) => {
    const options = { includeArchived: query.include_archived ?? false };
    const page = await listAgentRoles(world, caller, pageOf(query), options, roleRows.whole);
    return { kind: 'listed' as const, page };
  },
  shareOf: ({ limit }) => shareOfPage(limit),
  present: async ({ page }, world, caller) => {
    const roles = await rolesJson(world, caller, page.items);
    const hasNext = page.hasNext || roles.length < page.items.length;
    return { agent_roles: roles, ...nextCursorOf({ items: roles, hasNext }) };
  },
});

const read = operation({
  method: 'get',
  path: '/v1/agent-roles/{id}',
  operationId: 'getAgentRole',
  summary: 'One role of the org.',
  tag,
  needs: null,
  query: noQuery,
  body: noBody,
  problems: { not_found: true },
  success: { status: 200, description: 'The role.', schema: roleSchema },
  run: async ({ database }, caller, { id }): Promise<FoundRole> => {
    const roleId = roleIds.parse(id);
    const role = roleId === null ? null : await findRole(database, caller, roleId);
    return role === null
      ? { kind: 'not_found', subject: 'agent_role', id }
      : { kind: 'found', role };
  },
  present: ({ role }, world, caller) => roleJson(world, caller, role),
});

const create = operation({
  method: 'post',
  path: '/v1/agent-roles',
  operationId: 'createAgentRole',
  summary: 'Makes a role: with all of its first packs, or not at all.',
  tag,
  needs: 'caps:write',
  query: noQuery,
  body: jsonBody(
    z.strictObject({
      name: roleFields.name,
      display_name: roleFields.displayName.nullish(),
      description: roleFields.description.nullish(),
      environment: enumInOr(roleEnvironments, 'DEVELOPMENT'),
      pack_ids: roleFields.packIds.default([]),
    }),
  ),
  problems: {
    validation_failed: true,
    name_taken: true,
    not_found: true,
    pack_being_deleted: true,
  },
  success: { status: 201, description: 'The new role.', schema: roleSchema },
  run: (world, caller, { body: { display_name, pack_ids, ...input } }) =>
    createAgentRole(world, caller, {
      ...input,
      displayName: display_name,
      packIds: pack_ids,
    }),
  present: ({ role }, world, caller) => roleJson(world, caller, role),
});

const update = operation({
  method: 'patch',
  path: '/v1/agent-roles/{id}',
  operationId: 'updateAgentRole',
  summary: 'Changes the fields that are present; pack_ids replaces the whole list.',
  tag,
  needs: 'caps:write',
  query: noQuery,
  body: jsonBody(
    z.strictObject({
      name: roleFields.name.optional(),
      display_name: roleFields.displayName.optional(),
      description: roleFields.description.nullish(),
      environment: enumIn(roleEnvironments).optional(),
      pack_ids: roleFields.packIds.optional(),
    }),
  ),
  problems: {
    validation_failed: true,
    name_taken: true,
    not_found: true,
    pack_being_deleted: true,
  },
  success: { status: 200, description: 'The role, as it is now.', schema: roleSchema },
  run: (world, caller, { id, body: { display_name, pack_ids, ...input } }) =>
    updateAgentRole(world, caller, id, {
      ...input,
      displayName: display_name,
      packIds: pack_ids,
    }),
  present: ({ role }, world, caller) => roleJson(world, caller, role),
});

const archive = operation({
  method: 'post',
  path: '/v1/agent-roles/{id}/archive',
  operationId: 'archiveAgentRole',
  summary: 'Archives a role. It keeps its packs, so they still cannot be deleted.',
  tag,
  needs: 'caps:write',
  query: noQuery,
  body: noBody,
  problems: { not_found: true },
  success: { status: 200, description: 'The role, archived.', schema: roleSchema },
  run: (world, caller, { id }) => archiveAgentRole(world, caller, id),
  present: ({ role }, world, caller) => roleJson(world, caller, role),
});

const unarchive = operation({
  method: 'post',
  path: '/v1/agent-roles/{id}/unarchive',
  operationId: 'unarchiveAgentRole',
  summary: 'Brings an archived role back.',
  tag,
  needs: 'caps:write',
  query: noQuery,
  body: noBody,
  problems: { not_found: true, not_archived: true },
  success: { status: 200, description: 'The role, in use again.', schema: roleSchema },
  run: (world, caller, { id }) => unarchiveAgentRole(world, caller, id),
  present: ({ role }, world, caller) => roleJson(world, caller, role),
});

export const roleOperations: readonly Operation[] = [
  list,
  create,
  read,
  update,
  archive,
  unarchive,
];
