import { defineEntity, p } from '@mikro-orm/core';
import { Org } from './org.entity.ts';

export const roleEnvironments = ['DEVELOPMENT', 'STAGING', 'PRODUCTION'] as const;
export type RoleEnvironment = (typeof roleEnvironments)[number];

const AgentRoleSchema = defineEntity({
  name: 'AgentRole',
  tableName: 'agent_roles',
  filters: {
    tenant: { name: 'tenant', cond: (args: { org: string }) => ({ org: args.org }) },
  },
  indexes: [
    { name: 'agent_roles_org_newest', properties: ['org', 'id'] },
    { name: 'agent_roles_org_current', properties: ['org', 'id'], where: 'archived_at is null' },
  ],
  uniques: [{ name: 'agent_roles_name_in_org', properties: ['org', 'name'] }],
  properties: {
    id: p.uuid().primary(),
    org: () => p.manyToOne(Org).mapToPk().index(false),
    name: p.string().length(63),
    displayName: p.string().length(255),
    description: p.text().nullable(),
    environment: p.enum(roleEnvironments),
    archivedAt: p.datetime(3).nullable(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
  },
});

/** What an agent is in one org: a name, an environment and the packs it is given. */
export class AgentRole extends AgentRoleSchema.class {}
AgentRoleSchema.setClass(AgentRole);
