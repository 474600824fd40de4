import { defineEntity, p } from '@mikro-orm/core';
import { AgentRole } from './agent-role.entity.ts';
import { Org } from './org.entity.ts';
import { Pack } from './pack.entity.ts';
import { ofTenant } from './tenant.ts';

const AttachmentSchema = defineEntity({
  name: 'Attachment',
  tableName: 'role_packs',
  filters: ofTenant,
  indexes: [
    // The guard and `Pack.roles`: who references this pack, the caller's org first and in page order.
    { name: 'role_packs_by_pack', properties: ['pack', 'org', 'role'] },
  ],
  properties: {
    role: () => p.manyToOne(AgentRole).primary().mapToPk().deleteRule('cascade').index(false),
    // The database itself refuses to lose a referenced pack, whatever the code forgets.
    pack: () => p.manyToOne(Pack).primary().mapToPk().deleteRule('restrict').index(false),
    /** The role's org, repeated here so that every query on attachments can name its tenant. */
    org: () => p.manyToOne(Org).mapToPk().index(false),
    attachedAt: p.datetime(3).onCreate(() => new Date()),
  },
});

/** A role references a pack. */
export class Attachment extends AttachmentSchema.class {}
AttachmentSchema.setClass(Attachment);
