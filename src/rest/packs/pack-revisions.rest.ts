/** Changes of what is in a pack. */
import { z } from '@hono/zod-openapi';
import { SpooledFile } from '../../http/spooled-file.ts';
import { deletePackFile } from '../../packs/delete-pack-file.ts';
import { replacePackArchive } from '../../packs/replace-pack-archive.ts';
import { replacePackFile } from '../../packs/replace-pack-file.ts';
import { noQuery } from '../declaration.ts';
import { type Operation, operation } from '../operation.ts';
import { bytesBody, type DocumentedBody, multipartBody, noBody } from '../read-input.ts';
import { expectedBy, packETag } from './etags.ts';
import { packJson, packSchema } from './pack-json.rest.ts';

const problems = {
  not_found: true,
  pack_not_editable: true,
  validation_failed: true,
  pack_being_deleted: true,
  registry_unavailable: true,
} as const;

const success = {
  status: 200,
  description: 'The pack, as it is now.',
  schema: packSchema,
} as const;

const writeFile = operation({
  method: 'put',
  path: '/v1/packs/{id}/files/{path}',
  operationId: 'replacePackFile',
  summary:
    'Changes one file of an uploaded pack, or adds it; with If-Match only where it has not changed since it was read.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: bytesBody,
  problems,
  success,
  takesCondition: true,
  run: (world, caller, { id, path, body, headers }) =>
    replacePackFile(world, caller, { id, path, content: body, expected: expectedBy(headers) }),
  present: ({ pack }, _world, caller) => packJson(pack, caller),
  // For the next change.
  etag: ({ pack }) => packETag(pack),
});

const removeFile = operation({
  method: 'delete',
  path: '/v1/packs/{id}/files/{path}',
  operationId: 'deletePackFile',
  summary: 'Takes one file out of an uploaded pack; If-Match as with PUT.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: noBody,
  problems,
  success,
  takesCondition: true,
  run: (world, caller, { id, path, headers }) =>
    deletePackFile(world, caller, { id, path, expected: expectedBy(headers) }),
  present: ({ pack }, _world, caller) => packJson(pack, caller),
  // For the next change.
  etag: ({ pack }) => packETag(pack),
});

const archivePart = z.strictObject({
  archive: z.instanceof(SpooledFile, { error: 'must be a file, the .tar.gz' }),
});
/** Written by hand, because a schema that checks files on our disk tells a caller nothing. */
const documentedArchive: DocumentedBody = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['archive'],
        additionalProperties: false,
        properties: {
          archive: {
            type: 'string',
            contentMediaType: 'application/gzip',
            description: "The .tar.gz of the pack's directory.",
          },
        },
      },
    },
  },
};

const writeArchive = operation({
  method: 'put',
  path: '/v1/packs/{id}/archive',
  operationId: 'replacePackArchive',
  summary:
    'Gives an uploaded pack its next version; id, visibility and the roles that use it stay.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: multipartBody(archivePart, documentedArchive, new Set()),
  problems,
  success,
  takesCondition: true,
  run: (world, caller, { id, body: { archive }, headers }) =>
    replacePackArchive(world, caller, {
      id,
      archive: archive.path,
      expected: expectedBy(headers),
    }),
  present: ({ pack }, _world, caller) => packJson(pack, caller),
  etag: ({ pack }) => packETag(pack),
});

export const revisionOperations: readonly Operation[] = [writeFile, removeFile, writeArchive];
