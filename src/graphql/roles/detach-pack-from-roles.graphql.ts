import {
  type DetachPackFromRolesOutcome,
  detachPackFromRoles,
} from '../../roles/detach-pack-from-roles.ts';
import { builder } from '../builder.ts';
import { needs } from '../needs.ts';
import { outcomeUnion } from '../problems/outcome-union.ts';
import { Pack } from '../refs.ts';

const DetachedPackFromRoles = builder
  .objectRef<Extract<DetachPackFromRolesOutcome, { kind: 'detached_from_roles' }>>(
    'DetachedPackFromRoles',
  )
  .implement({
    description: 'None of the roles has the pack.',
    fields: (t) => ({
      pack: t.field({ type: Pack, description: 'The pack.', resolve: ({ pack }) => pack }),
      roleCount: t.exposeInt('roleCount', { description: 'How many roles it was taken from.' }),
    }),
  });

const DetachPackFromRolesResult = outcomeUnion<DetachPackFromRolesOutcome>(
  'DetachPackFromRolesResult',
  'What detachPackFromRoles answers.',
  DetachedPackFromRoles,
  { not_found: true, validation_failed: true },
);

builder.mutationFields((t) => ({
  detachPackFromRoles: t.field({
    type: DetachPackFromRolesResult,
    description:
      'Takes a pack from roles of the org, archived ones included, all at once. Repeating it changes nothing.',
    ...needs('caps:write'),
    args: {
      packId: t.arg.id({ required: true, description: 'pack_…' }),
      roleIds: t.arg.idList({
        description: 'role_…; all roles of the org that have the pack when left out.',
      }),
    },
    resolve: (_root, args, { world, caller }) => detachPackFromRoles(world, caller, args),
  }),
}));
