import { z } from '@hono/zod-openapi';
import { detachPackFromRoles } from '../../roles/detach-pack-from-roles.ts';
import { noQuery } from '../declaration.ts';
import { type Operation, operation } from '../operation.ts';
import { jsonBody } from '../read-input.ts';

const detach = operation({
  method: 'post',
  path: '/v1/packs/{id}/detach',
  operationId: 'detachPackFromRoles',
  summary: 'Takes a pack from roles of the org, archived ones included, all at once.',
  tag: 'Packs',
  needs: 'caps:write',
  query: noQuery,
  body: jsonBody(
    z.strictObject({
      role_ids: z
        .array(z.string())
        .nullish()
        .openapi({ description: 'All roles of the org that have it when left out.' }),
    }),
    { optional: true },
  ),
  problems: { not_found: true, validation_failed: true },
  success: {
    status: 200,
    description: 'None of them has the pack.',
    schema: z.object({
      detached: z.int().openapi({ description: 'How many roles it was taken from.' }),
    }),
  },
  run: (world, caller, { id, body: { role_ids } }) =>
    detachPackFromRoles(world, caller, { packId: id, roleIds: role_ids }),
  present: ({ roleCount }) => ({ detached: roleCount }),
});

export const detachOperations: readonly Operation[] = [detach];
