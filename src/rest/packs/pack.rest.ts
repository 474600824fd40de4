import { z } from '@hono/zod-openapi';
import { singleLine } from '../../input.ts';
import { packIds } from '../../model/ids.ts';
import { imageOrigins, packStatuses, packTiers } from '../../model/pack.entity.ts';
import type { PackRow } from '../../model/pack-row.ts';
import type { ProblemOf } from '../../outcomes.ts';
import { deletePack } from '../../packs/delete-pack.ts';
import { findPack } from '../../packs/find-pack.ts';
import { noQuery } from '../declaration.ts';
import { enumIn } from '../letter-case.ts';
import { type Operation, operation } from '../operation.ts';
import { nextCursor, nextCursorOf, pageOf, pageQuery, shareOfPage } from '../paging.ts';
import { noBody } from '../read-input.ts';
import { expectedBy, packETag } from './etags.ts';
import { packJson, packSchema, visibilityField } from './pack-json.rest.ts';
import { pageOfPacks } from './pack-page.ts';

type FoundPack = { readonly kind: 'found'; readonly pack: PackRow } | ProblemOf<'not_found'>;

const list = operation({
  method: 'get',
  path: '/v1/packs',
  operationId: 'listPacks',
  summary: "The org's own packs, those shared by others and the platform's, newest first.",
  tag: 'Packs',
  needs: null,
  query: z.object({
    ...pageQuery,
    owned: z
      .enum(['true', 'false'])
      .transform((value) => value === 'true')
      .optional()
      .openapi({ type: 'boolean', description: "Only your org's own packs, or only others'." }),
    visibility: visibilityField.optional(),
    tier: enumIn(packTiers).optional(),
    category: singleLine(255).optional(),
    image_origin: enumIn(imageOrigins).optional(),
    status: enumIn(packStatuses).optional(),
    name_contains: singleLine(255).optional(),
  }),
  body: noBody,
  problems: {},
  success: {
    status: 200,
    description: 'A page of packs: it may end before `limit` where they are very long.',
    schema: z.object({ packs: z.array(packSchema), ...nextCursor }),
  },
  run: async (world, caller, { query }) => ({
    kind: 'listed' as const,
    page: await pageOfPacks(world, caller, pageOf(query), {
      owned: query.owned,
      visibility: query.visibility,
      tier: query.tier,
      category: query.category,
      imageOrigin: query.image_origin,
      status: query.status,
      nameContains: query.name_contains,
    }),
  }),
  shareOf: ({ limit }) => shareOfPage(limit),
  present: ({ page }, _world, caller) => ({
    packs: page.items.map((pack) => packJson(pack, caller)),
    ...nextCursorOf(page),
  }),
});

const read = operation({
  method: 'get',
  path: '/v1/packs/{id}',
  operationId: 'getPack',
  summary: 'One pack.',
  tag: 'Packs',
  needs: null,
  query: noQuery,
  body: noBody,
  problems: { not_found: true },
  success: { status: 200, description: 'The pack.', schema: packSchema },
  run: async ({ database }, caller, { id }): Promise<FoundPack> => {
    const packId = packIds.parse(id);
    const pack = packId === null ? null : await findPack(database, caller, packId);
    return pack === null ? { kind: 'not_found', subject: 'pack', id } : { kind: 'found', pack };
  },
  present: ({ pack }, _world, caller) => packJson(pack, caller),
  etag: ({ pack }) => packETag(pack),
});

const remove = operation({
  method: 'delete',
  path: '/v1/packs/{id}',
  operationId: 'deletePack',
  summary:
    'Deletes a pack that no role references, after purging its image where it was uploaded here. Safe to repeat.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: noBody,
  problems: { not_found: true, pack_in_use: true, registry_cleanup_failed: true },
  success: {
    status: 200,
    description: 'The pack and its image are gone.',
    schema: z.object({
      status: z.literal('deleted'),
      remaining_tags: z.array(z.string()).optional().openapi({
        description:
          'Tags that the registry keeps and this service cannot remove; absent where there are none.',
      }),
    }),
  },
  takesCondition: true,
  run: (world, caller, { id, headers }) => deletePack(world, caller, id, expectedBy(headers)),
  present: ({ remainingTags }) => ({
    status: 'deleted' as const,
    ...(remainingTags.length > 0 && { remaining_tags: [...remainingTags] }),
  }),
});

export const packOperations: readonly Operation[] = [list, read, remove];
