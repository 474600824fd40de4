import { defineEntity, p } from '@mikro-orm/core';

/** A tenant. */
const OrgSchema = defineEntity({
  name: 'Org',
  tableName: 'orgs',
  properties: {
    id: p.uuid().primary(),
    slug: p.string().length(63).unique(),
    createdAt: p.datetime(3),
  },
});

export class Org extends OrgSchema.class {}
OrgSchema.setClass(Org);
