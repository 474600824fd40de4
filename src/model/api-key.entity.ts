import { defineEntity, p } from '@mikro-orm/core';
import { keyIds } from './ids.ts';
import { Org } from './org.entity.ts';
import { ofTenant } from './tenant.ts';

export const permissionSets = ['FULL_ACCESS', 'READ_ONLY', 'OWNER'] as const;
export type PermissionSet = (typeof permissionSets)[number];

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  filters: ofTenant,
  indexes: [{ name: 'api_keys_org_newest', properties: ['org', 'id'] }],
  properties: {
    id: p.type(keyIds.column).primary(),
    org: () => p.manyToOne(Org).mapToPk().index(false),
    label: p.string().length(255),
    /** The first characters of the secret, so that a person can tell keys apart. */
    prefix: p.string().length(16),
    /** SHA-256 of the secret; the secret itself is never stored. */
    secretHash: p.blob().unique(),
    permissionSet: p.enum(permissionSets),
    createdAt: p.datetime(3).onCreate(() => new Date()),
    lastUsedAt: p.datetime(3).strictNullable(),
    revokedAt: p.datetime(3).strictNullable(),
  },
});

/** A secret that lets a script act for an org. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
