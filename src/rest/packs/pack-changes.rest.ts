import { z } from '@hono/zod-openapi';
import { clonePack } from '../../packs/clone-pack.ts';
import { createPackFromImage } from '../../packs/create-pack-from-image.ts';
import { replacePackImage } from '../../packs/replace-pack-image.ts';
import { updatePackVisibility } from '../../packs/update-pack-visibility.ts';
import { noQuery } from '../declaration.ts';
import { type Operation, operation } from '../operation.ts';
import { jsonBody } from '../read-input.ts';
import { expectedBy, packETag } from './etags.ts';
import { optionalVisibility, packJson, packSchema, visibilityField } from './pack-json.rest.ts';

const imageRef = z.string().openapi({
  description: '[host[:port]/]repository:tag or [host[:port]/]repository@sha256:…',
});

const createFromImage = operation({
  method: 'post',
  path: '/v1/packs',
  operationId: 'createPackFromImage',
  summary:
    'Makes a pack of an image that is in a registry already; deletion leaves that image alone.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: jsonBody(z.strictObject({ image_ref: imageRef, visibility: optionalVisibility })),
  problems: {
    validation_failed: true,
    name_taken: true,
    pack_being_deleted: true,
    registry_unavailable: true,
  },
  success: { status: 201, description: 'The new pack.', schema: packSchema },
  run: (world, caller, { body: { image_ref, visibility } }) =>
    createPackFromImage(world, caller, { imageRef: image_ref, visibility }),
  present: ({ pack }, _world, caller) => packJson(pack, caller),
});

const replaceImage = operation({
  method: 'put',
  path: '/v1/packs/{id}',
  operationId: 'replacePackImage',
  summary: 'Gives a pack another image; the id stays, and with it every role that uses the pack.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: jsonBody(z.strictObject({ image_ref: imageRef })),
  problems: {
    not_found: true,
    validation_failed: true,
    pack_being_deleted: true,
    registry_unavailable: true,
  },
  success: { status: 200, description: 'The pack, as it is now.', schema: packSchema },
  takesCondition: true,
  run: (world, caller, { id, body, headers }) =>
    replacePackImage(world, caller, {
      id,
      imageRef: body.image_ref,
      expected: expectedBy(headers),
    }),
  present: ({ pack }, _world, caller) => packJson(pack, caller),
  etag: ({ pack }) => packETag(pack),
});

const share = operation({
  method: 'patch',
  path: '/v1/packs/{id}',
  operationId: 'updatePackVisibility',
  summary: 'Shares a pack with every org, or stops sharing it while no other org uses it.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: jsonBody(z.strictObject({ visibility: visibilityField })),
  problems: { not_found: true, pack_in_use: true, pack_being_deleted: true },
  success: { status: 200, description: 'The pack, as it is now.', schema: packSchema },
  takesCondition: true,
  run: (world, caller, { id, body: { visibility }, headers }) =>
    updatePackVisibility(world, caller, { id, visibility, expected: expectedBy(headers) }),
  present: ({ pack }, _world, caller) => packJson(pack, caller),
  etag: ({ pack }) => packETag(pack),
});

const clone = operation({
  method: 'post',
  path: '/v1/packs/{id}/clone',
  operationId: 'clonePack',
  summary: "Copies a pack into the org, image included; without a name it keeps the source's.",
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: jsonBody(z.strictObject({ name: z.string().nullish() }), { optional: true }),
  problems: {
    not_found: true,
    validation_failed: true,
    name_taken: true,
    pack_being_deleted: true,
    registry_unavailable: true,
  },
  success: { status: 201, description: 'The copy.', schema: packSchema },
  run: (world, caller, { id, body: { name } }) => clonePack(world, caller, { id, name }),
  present: ({ pack }, _world, caller) => packJson(pack, caller),
});

export const packChanges: readonly Operation[] = [createFromImage, replaceImage, share, clone];
