import { columnReader } from '../../model/extent.ts';
import { roleIds } from '../../model/ids.ts';
import { packExtent } from '../../model/pack-row.ts';
import { listedRoleRows, type RoleRow, roleExtent } from '../../model/role-row.ts';
import { pageRequest } from '../../page.ts';
import { findRoleByName } from '../../roles/find-role-by-name.ts';
import { countAgentRoles, listAgentRoles } from '../../roles/list-agent-roles.ts';
import { builder } from '../builder.ts';
import { forwardArguments, pageArguments, toConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { countedText, ofCharacters, readsRow, upTo } from '../limits/price.ts';
import { AgentRole, AgentRoleConnection, PackConnection } from '../refs.ts';
import { selectedItems } from '../selected-items.ts';

export const RoleEnvironment = builder.enumType('RoleEnvironment', {
  description: 'Where the agents of a role run.',
  values: {
    DEVELOPMENT: { description: 'For trying things out.' },
    STAGING: { description: 'For rehearsal.' },
    PRODUCTION: { description: 'For real.' },
  },
});

const load = (id: string, { loaders }: Context) => {
  const roleId = roleIds.parse(id);
  return roleId === null ? null : loaders.role.load(roleId);
};

const column = columnReader<RoleRow>();

builder.node(AgentRole, {
  description: 'What an agent is in one org: a name, an environment and the packs it is given.',
  id: { resolve: ({ id }) => id, description: 'Starts with role_.' },
  loadOne: load,
  fields: (t) => ({
    name: t.string({
      resolve: column('name'),
      ...upTo(65),
      description: 'Unique in the org.',
    }),
    displayName: t.string({
      resolve: column('displayName'),
      ...upTo(ofCharacters(255)),
      description: 'The name for people.',
    }),
    description: t.string({
      resolve: column('description'),
      ...countedText(),
      nullable: true,
      description: 'What it is for.',
    }),
    environment: t.field({
      resolve: column('environment'),
      type: RoleEnvironment,
      description: 'Where its agents run.',
    }),
    archivedAt: t.field({
      resolve: column('archivedAt'),
      type: 'DateTime',
      nullable: true,
      description: 'When it was archived; null while it is in use. It still holds its packs.',
    }),
    packs: t.field({
      type: PackConnection,
      description: 'The packs it is given, the newest pack first.',
      args: forwardArguments(t),
      resolve: ({ id }, args, { loaders }, info) => {
        const page = pageRequest(args);
        const look = () => packExtent(selectedItems(info).fields);
        return toConnection(
          () => loaders.packsOfRole(page, loaders.extentOf(info.fieldNodes, look)).load(id),
          () => loaders.packCount.load(id),
        );
      },
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was made.',
      resolve: column('createdAt'),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When it last changed.',
      resolve: column('updatedAt'),
    }),
  }),
});

builder.asEntity(AgentRole, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => load(id, context),
});

builder.queryFields((t) => ({
  agentRole: t.field({
    type: AgentRole,
    nullable: true,
    description: "One role of the caller's org; null where it has none of this id.",
    args: { id: t.arg.id({ required: true, description: 'role_…' }) },
    ...readsRow(),
    resolve: (_root, { id }, context) => load(id, context),
  }),
  agentRoleByName: t.field({
    type: AgentRole,
    nullable: true,
    description: "The role of the caller's org that has this name; null where there is none.",
    args: { name: t.arg.string({ required: true, description: 'Exactly as it is written.' }) },
    ...readsRow(),
    resolve: (_root, { name }, { world, caller }) => findRoleByName(world.database, caller, name),
  }),
  agentRoles: t.field({
    type: AgentRoleConnection,
    description: 'Roles of the org, newest first.',
    args: {
      ...pageArguments(t),
      includeArchived: t.arg.boolean({
        defaultValue: false,
        description: 'Archived roles as well.',
      }),
    },
    resolve: (_root, { includeArchived, ...args }, { world, caller, loaders }, info) => {
      const options = { includeArchived: includeArchived ?? false };
      const page = pageRequest(args);
      const { fields } = selectedItems(info);
      const rows = listedRoleRows(fields);
      return toConnection(
        () =>
          loaders.allowance.read(roleExtent(fields), () =>
            listAgentRoles(world, caller, page, options, rows),
          ),
        () => countAgentRoles(world, caller, options),
      );
    },
  }),
}));
