import { defineEntity, p } from '@mikro-orm/core';
import { type Digest, type Repository, registryFailureReasons } from '../registry/registry.ts';
import { packIds } from './ids.ts';
import { Org } from './org.entity.ts';
import { later, ofTenant } from './tenant.ts';

export const packTiers = ['RECOMMENDED', 'VERIFIED', 'COMMUNITY'] as const;
export const packVisibilities = ['ORG', 'COMMUNITY'] as const;
export const imageOrigins = ['UPLOAD', 'IMAGE_REF', 'CLONE'] as const;
/** DELETING while the image is being purged, CLEANUP_FAILED until a retry converges. */
export const packStatuses = ['ACTIVE', 'DELETING', 'CLEANUP_FAILED'] as const;

export type PackTier = (typeof packTiers)[number];
export type PackVisibility = (typeof packVisibilities)[number];
export type ImageOrigin = (typeof imageOrigins)[number];
export type PackStatus = (typeof packStatuses)[number];

const SHARED = "visibility = 'COMMUNITY'";

const PackSchema = defineEntity({
  name: 'Pack',
  tableName: 'packs',
  filters: ofTenant,
  indexes: [
    // `packs`: the caller's own page, newest first.
    { name: 'packs_org_newest', properties: ['org', 'id'] },
    // The same, when what is shared is walked apart from what is not.
    { name: 'packs_org_visibility', properties: ['org', 'visibility', 'id'] },
    { name: 'packs_org_category', properties: ['org', 'category', 'id'] },
    // What an operator looks for among very many: unfinished deletions, and packs that the platform vouches for.
    { name: 'packs_org_unfinished', properties: ['org', 'id'], where: "status <> 'ACTIVE'" },
    {
      name: 'packs_org_vouched',
      properties: ['org', 'tier', 'id'],
      where: "tier <> 'COMMUNITY'",
    },
    { name: 'packs_org_origin', properties: ['org', 'imageOrigin', 'id'] },
    // `packs`: what every org may see. Partial, because most packs are private.
    {
      name: 'packs_community_newest',
      properties: ['id'],
      // Packs of others are told from one's own in the index itself.
      include: ['org'],
      where: SHARED,
    },
    // The same filters as on an org's own packs.
    {
      name: 'packs_shared_category',
      properties: ['category', 'id'],
      include: ['org'],
      where: SHARED,
    },
    {
      name: 'packs_shared_origin',
      properties: ['imageOrigin', 'id'],
      include: ['org'],
      where: SHARED,
    },
    {
      name: 'packs_shared_vouched',
      properties: ['tier', 'id'],
      include: ['org'],
      where: `${SHARED} and tier <> 'COMMUNITY'`,
    },
    {
      name: 'packs_shared_unfinished',
      properties: ['id'],
      include: ['org'],
      where: `${SHARED} and status <> 'ACTIVE'`,
    },
    { name: 'packs_shared_name', properties: ['name'], where: SHARED },
    { name: 'packs_platform_newest', properties: ['id'], where: 'org_id is null' },
    // A part of the name; the migrations make both only where the server has the extensions.
    {
      name: 'packs_name_search',
      properties: ['org', 'name'],
      type: 'gin',
      expression:
        'create index "packs_name_search" on "packs" using gin ("org_id", "name" gin_trgm_ops)',
    },
    {
      name: 'packs_shared_name_search',
      properties: ['name'],
      type: 'gin',
      expression: `create index "packs_shared_name_search" on "packs" using gin ("name" gin_trgm_ops) where ${SHARED}`,
    },
    // Deletion: does another pack point at the same image?
    { name: 'packs_image', properties: ['repository', 'imageDigest'] },
  ],
  uniques: [
    { name: 'packs_name_in_org', properties: ['org', 'name'] },
    { name: 'packs_name_of_platform', properties: ['name'], where: 'org_id is null' },
  ],
  properties: {
    id: p.type(packIds.column).primary(),
    /** Null: a pack of the platform, which every org may read and attach. */
    org: () =>
      p
        .manyToOne(Org)
        .strictNullable()
        .mapToPk()
        .deleteRule('restrict')
        .index(false)
        .concurrencyCheck(),
    name: p.string().length(63),
    version: p.string().length(255),
    displayName: p.string().length(255),
    description: p.text().strictNullable(),
    tier: p.enum(packTiers),
    visibility: p.enum(packVisibilities),
    category: p.string().length(255).strictNullable(),
    capabilities: p.text().strictNullable(),
    suggestedPacks: p.array(),
    imageOrigin: p.enum(imageOrigins),
    /** The image's repository with its host, where that is not the configured registry's own. */
    repository: p.text().$type<Repository>(),
    imageRef: p.text(),
    imageDigest: p.string().length(71).strictNullable().$type<Digest>(),
    sizeBytes: p.bigint('number'),
    status: p.enum(packStatuses),
    cleanupReason: p.enum(registryFailureReasons).strictNullable(),
    cleanupMessage: p.text().strictNullable(),
    cleanupFailedAt: p.datetime(3).strictNullable(),
    cleanupAttempts: p.integer(),
    createdAt: p.datetime(3).onCreate(() => new Date()),
    updatedAt: p
      .datetime(3)
      .onCreate(() => new Date())
      .onUpdate(later)
      .concurrencyCheck(),
  },
});

/** A versioned bundle of agent content, stored as an OCI image. */
export class Pack extends PackSchema.class {}
PackSchema.setClass(Pack);
