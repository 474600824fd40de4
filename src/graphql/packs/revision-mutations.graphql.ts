/** Changes of what is in a pack. */
import { type DeletePackFileOutcome, deletePackFile } from '../../packs/delete-pack-file.ts';
import {
  type ReplacePackArchiveOutcome,
  replacePackArchive,
} from '../../packs/replace-pack-archive.ts';
import { type ReplacePackFileOutcome, replacePackFile } from '../../packs/replace-pack-file.ts';
import { builder } from '../builder.ts';
import { needs } from '../needs.ts';
import { outcomeUnion } from '../problems/outcome-union.ts';
import { Pack, PackFile } from '../refs.ts';
import { packSuccess } from './pack-mutations.graphql.ts';

const refused = {
  not_found: true,
  pack_not_editable: true,
  validation_failed: true,
  pack_being_deleted: true,
  registry_unavailable: true,
} as const;

const ReplacePackArchiveResult = outcomeUnion<ReplacePackArchiveOutcome>(
  'ReplacePackArchiveResult',
  'What replacePackArchive answers.',
  packSuccess(
    'archive_replaced',
    'ReplacedPackArchive',
    'The pack is what the archive holds; its roles keep it.',
  ),
  refused,
);

const ReplacedPackFile = builder
  .objectRef<Extract<ReplacePackFileOutcome, { kind: 'file_replaced' }>>('ReplacedPackFile')
  .implement({
    description: 'The file is in the pack.',
    fields: (t) => ({
      pack: t.field({
        type: Pack,
        description: 'The pack, as it is now.',
        resolve: ({ pack }) => pack,
      }),
      file: t.field({
        type: PackFile,
        description: 'The file, as it is now.',
        resolve: ({ file }) => file,
      }),
    }),
  });

const ReplacePackFileResult = outcomeUnion<ReplacePackFileOutcome>(
  'ReplacePackFileResult',
  'What replacePackFile answers.',
  ReplacedPackFile,
  refused,
);

const DeletePackFileResult = outcomeUnion<DeletePackFileOutcome>(
  'DeletePackFileResult',
  'What deletePackFile answers.',
  packSuccess('file_deleted', 'DeletedPackFile', 'The file is not in the pack any more.'),
  refused,
);

const path = '`guides/first-steps.md`';

builder.mutationFields((t) => ({
  replacePackArchive: t.field({
    type: ReplacePackArchiveResult,
    description:
      'Gives an uploaded pack its next version: what is in it becomes what the archive holds. Id, visibility and the roles that use it stay; its name must. The old image is purged.',
    ...needs('caps:write'),
    args: {
      id: t.arg.id({ required: true, description: 'pack_…' }),
      archive: t.arg({ type: 'File', required: true, description: 'The .tar.gz.' }),
    },
    resolve: (_root, { id, archive }, { world, caller }) =>
      replacePackArchive(world, caller, { id, archive: archive.path }),
  }),
  replacePackFile: t.field({
    type: ReplacePackFileResult,
    description:
      'Changes one file of an uploaded pack, or adds it; the version stays. A new file may not be run.',
    ...needs('caps:write'),
    args: {
      id: t.arg.id({ required: true, description: 'pack_…' }),
      path: t.arg.string({ required: true, description: path }),
      content: t.arg({ type: 'File', required: true, description: 'Its bytes.' }),
    },
    resolve: (_root, { id, path, content }, { world, caller }) =>
      replacePackFile(world, caller, { id, path, content }),
  }),
  deletePackFile: t.field({
    type: DeletePackFileResult,
    description: 'Takes one file out of an uploaded pack; the version stays.',
    ...needs('caps:write'),
    args: {
      id: t.arg.id({ required: true, description: 'pack_…' }),
      path: t.arg.string({ required: true, description: path }),
    },
    resolve: (_root, args, { world, caller }) => deletePackFile(world, caller, args),
  }),
}));
