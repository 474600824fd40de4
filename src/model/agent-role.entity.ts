import { defineEntity, p } from '@mikro-orm/core';
import { roleIds } from './ids.ts';
import { Org } from './org.entity.ts';
import { later, ofTenant } from './tenant.ts';

export const roleEnvironments = ['DEVELOPMENT', 'STAGING', 'PRODUCTION'] as const;

const AgentRoleSchema = defineEntity({
  name: 'AgentRole',
  tableName: 'agent_roles',
  filters: ofTenant,
  indexes: [
    { name: 'agent_roles_org_newest', properties: ['org', 'id'] },
    { name: 'agent_roles_org_current', properties: ['org', 'id'], where: 'archived_at is null' },
  ],
  uniques: [{ name: 'agent_roles_name_in_org', properties: ['org', 'name'] }],
  properties: {
    id: p.type(roleIds.column).primary(),
    org: () => p.manyToOne(Org).mapToPk().index(false).concurrencyCheck(),
    name: p.string().length(63),
    displayName: p.string().length(255),
    description: p.text().strictNullable(),
    environment: p.enum(roleEnvironments),
    archivedAt: p.datetime(3).strictNullable(),
    createdAt: p.datetime(3).onCreate(() => new Date()),
    updatedAt: p
      .datetime(3)
      .onCreate(() => new Date())
      .onUpdate(later)
      .concurrencyCheck(),
  },
});

/** What an agent is in one org: a name, an environment and the packs it is given. */
export class AgentRole extends AgentRoleSchema.class {}
AgentRoleSchema.setClass(AgentRole);
