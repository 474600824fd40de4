import { z } from '@hono/zod-openapi';
import { SpooledFile } from '../../http/spooled-file.ts';
import { packVisibilities } from '../../model/pack.entity.ts';
import { type UploadPackOutcome, uploadPack } from '../../packs/upload-pack.ts';
import { noQuery } from '../declaration.ts';
import { lowerCase } from '../letter-case.ts';
import { type Operation, operation } from '../operation.ts';
import { type DocumentedBody, multipartBody } from '../read-input.ts';
import { optionalVisibility, packJson, packSchema } from './pack-json.rest.ts';

const parts = z.strictObject({
  archive: z.instanceof(SpooledFile, { error: 'must be a file, the .tar.gz' }),
  visibility: optionalVisibility,
});

/** Written by hand, because a schema that checks files on our disk tells a caller nothing. */
const documentedParts: DocumentedBody = {
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
          visibility: {
            type: 'string',
            enum: packVisibilities.map(lowerCase),
            default: lowerCase('ORG'),
          },
        },
      },
    },
  },
};

export const uploadOperations: readonly Operation[] = [
  operation<UploadPackOutcome, typeof packSchema, typeof noQuery, z.output<typeof parts>>({
    method: 'post',
    path: '/v1/packs/upload',
    operationId: 'uploadPack',
    summary: "Makes a pack of a .tar.gz of its directory; the archive's pack.yaml names it.",
    tag: 'Packs',
    needs: 'caps:write',
    query: noQuery,
    body: multipartBody(parts, documentedParts, new Set(['visibility'])),
    problems: {
      validation_failed: true,
      name_taken: true,
      pack_being_deleted: true,
      registry_unavailable: true,
    },
    success: { status: 201, description: 'The new pack.', schema: packSchema },
    run: (world, caller, { body: { archive, visibility } }) =>
      uploadPack(world, caller, { archive: archive.path, visibility }),
    present: ({ pack }, _world, caller) => packJson(pack, caller),
  }),
];
