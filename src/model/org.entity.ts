import { defineEntity, p } from '@mikro-orm/core';
import { orgIds } from './ids.ts';
import { tenantFilter } from './tenant.ts';

const OrgSchema = defineEntity({
  name: 'Org',
  tableName: 'orgs',
  filters: tenantFilter('id'),
  properties: {
    id: p.type(orgIds.column).primary(),
    slug: p.string().length(63).unique(),
    createdAt: p.datetime(3).onCreate(() => new Date()),
  },
});

/** A tenant. */
export class Org extends OrgSchema.class {}
OrgSchema.setClass(Org);
