import { defineEntity, p } from '@mikro-orm/core';
import { Org } from './org.entity.ts';

export const permissionSets = ['FULL_ACCESS', 'READ_ONLY', 'OWNER'] as const;
export type PermissionSet = (typeof permissionSets)[number];

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  filters: {
    tenant: { name: 'tenant', cond: (args: { org: string }) => ({ org: args.org }) },
  },
  indexes: [{ name: 'api_keys_org_newest', properties: ['org', 'id'] }],
  properties: {
    id: p.uuid().primary(),
    org: () => p.manyToOne(Org).mapToPk().index(false),
    label: p.string().length(255),
    /** The first characters of the secret, so that a person can tell keys apart. */
    prefix: p.string().length(16),
    /** SHA-256 of the secret; the secret itself is never stored. */
    secretHash: p.blob().unique(),
    permissionSet: p.enum(permissionSets),
    createdAt: p.datetime(3),
    lastUsedAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
});

/** A secret that lets a script act for an org. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
