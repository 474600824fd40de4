/** A pack as REST writes it: snake_case, `org_id` absent when it is not owned. */

import { z } from '@hono/zod-openapi';
import type { Caller } from '../../identity/caller.ts';
import {
  imageOrigins,
  packStatuses,
  packTiers,
  packVisibilities,
} from '../../model/pack.entity.ts';
import type { PackRow } from '../../model/pack-row.ts';
import { statusShownTo } from '../../packs/status-shown.ts';
import { enumIn, enumInOr, enumOut, lowerCase } from '../letter-case.ts';

export const packSchema = z
  .object({
    id: z.string().openapi({ description: 'Starts with pack_.' }),
    org_id: z
      .string()
      .optional()
      .openapi({ description: 'The owning org; absent on a pack that the caller does not own.' }),
    owned: z.boolean().openapi({ description: "Whether the caller's org owns it." }),
    name: z.string().openapi({ description: 'A slug, unique in its org.' }),
    display_name: z.string().openapi({ description: 'The name for people.' }),
    description: z.string().nullable(),
    version: z.string().openapi({ description: 'A semantic version.' }),
    tier: enumOut(packTiers).openapi({ description: 'How far the platform vouches for it.' }),
    visibility: enumOut(packVisibilities).openapi({ description: 'Who may read and attach it.' }),
    category: z.string().nullable(),
    capabilities: z.string().nullable().openapi({ description: 'The caps.yaml fragment.' }),
    suggested_packs: z.string().openapi({ description: 'Names, separated by commas.' }),
    image_origin: enumOut(imageOrigins).openapi({
      description: 'Where its image came from, and so whether deletion purges it.',
    }),
    image_ref: z.string().openapi({ description: 'What to pull.' }),
    image_digest: z.string().nullable().openapi({ description: "The manifest's digest." }),
    size_bytes: z.int().openapi({ description: "The image's size." }),
    status: enumOut(packStatuses).openapi({ description: 'Whether it can be used.' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi('Pack');

/** The field of a request that says who may read and attach a pack. */
export const visibilityField = enumIn(packVisibilities);
/** The same on a new pack. */
export const optionalVisibility = enumInOr(packVisibilities, 'ORG');

/** A pack as this caller may see it. */
export function packJson(pack: PackRow, caller: Caller): z.input<typeof packSchema> {
  const owned = pack.org === caller.orgId;
  return {
    id: pack.id,
    ...(owned && pack.org !== null && { org_id: pack.org }),
    owned,
    name: pack.name,
    display_name: pack.displayName,
    description: pack.description,
    version: pack.version,
    tier: lowerCase(pack.tier),
    visibility: lowerCase(pack.visibility),
    category: pack.category,
    capabilities: pack.capabilities,
    suggested_packs: pack.suggestedPacks.join(','),
    image_origin: lowerCase(pack.imageOrigin),
    image_ref: pack.imageRef,
    image_digest: pack.imageDigest,
    size_bytes: pack.sizeBytes,
    status: lowerCase(statusShownTo(caller, pack)),
    created_at: pack.createdAt.toISOString(),
    updated_at: pack.updatedAt.toISOString(),
  };
}
