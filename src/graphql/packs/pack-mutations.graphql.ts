import type { PackRow } from '../../model/pack-row.ts';
import { type ClonePackOutcome, clonePack } from '../../packs/clone-pack.ts';
import {
  type CreatePackFromImageOutcome,
  createPackFromImage,
} from '../../packs/create-pack-from-image.ts';
import { type DeletePackOutcome, deletePack } from '../../packs/delete-pack.ts';
import type { DeletedPack } from '../../packs/deletion-steps.ts';
import { type ReplacePackImageOutcome, replacePackImage } from '../../packs/replace-pack-image.ts';
import {
  type UpdatePackVisibilityOutcome,
  updatePackVisibility,
} from '../../packs/update-pack-visibility.ts';
import { type UploadPackOutcome, uploadPack } from '../../packs/upload-pack.ts';
import { builder } from '../builder.ts';
import { countedText, upTo } from '../limits/price.ts';
import { needs } from '../needs.ts';
import { outcomeUnion } from '../problems/outcome-union.ts';
import { Pack } from '../refs.ts';
import { ImageDispositionEnum, PackVisibility } from './pack-enums.graphql.ts';

const DeletedPackType = builder.objectRef<DeletedPack>('DeletedPack').implement({
  description: 'The pack is gone; `image` says what became of its image.',
  fields: (t) => ({
    // Not `id`: a store that normalises answers by it (Relay, Apollo) would take this for the pack's own record.
    deletedPackId: t.id({ description: 'The id it had.', resolve: ({ id }) => id }),
    name: t.exposeString('name', { ...upTo(65), description: 'The name it had, free again.' }),
    deletedAt: t.expose('deletedAt', { type: 'DateTime', description: 'When the row went.' }),
    image: t.expose('image', {
      type: ImageDispositionEnum,
      description: 'What became of the image.',
    }),
    remainingTags: t.exposeStringList('remainingTags', {
      ...countedText(),
      description:
        'Tags that the registry keeps although they pull nothing now. They would pull the same content once it is uploaded again: remove them in the registry.',
    }),
  }),
});

const DeletePackResult = outcomeUnion<DeletePackOutcome>(
  'DeletePackResult',
  'What deletePack answers.',
  DeletedPackType,
  { pack_in_use: true, not_found: true, registry_cleanup_failed: true },
);

/** A success that says which pack came of it. */
export const packSuccess = <Kind extends string>(_kind: Kind, name: string, description: string) =>
  builder.objectRef<{ readonly kind: Kind; readonly pack: PackRow }>(name).implement({
    description,
    fields: (t) => ({
      pack: t.field({
        type: Pack,
        description: 'The pack, as it is now.',
        resolve: ({ pack }) => pack,
      }),
    }),
  });

const UploadPackResult = outcomeUnion<UploadPackOutcome>(
  'UploadPackResult',
  'What uploadPack answers.',
  packSuccess('uploaded', 'UploadedPack', 'The pack is there and its image can be pulled.'),
  {
    validation_failed: true,
    name_taken: true,
    pack_being_deleted: true,
    registry_unavailable: true,
  },
);

const CreatePackFromImageResult = outcomeUnion<CreatePackFromImageOutcome>(
  'CreatePackFromImageResult',
  'What createPackFromImage answers.',
  packSuccess('pack_created', 'CreatedPack', 'The pack is there; its image is where it was.'),
  {
    validation_failed: true,
    name_taken: true,
    pack_being_deleted: true,
    registry_unavailable: true,
  },
);

const ReplacePackImageResult = outcomeUnion<ReplacePackImageOutcome>(
  'ReplacePackImageResult',
  'What replacePackImage answers.',
  packSuccess(
    'image_replaced',
    'ReplacedPackImage',
    'The pack has the image; the old one is gone where it was uploaded here.',
  ),
  {
    not_found: true,
    validation_failed: true,
    pack_being_deleted: true,
    registry_unavailable: true,
  },
);

const UpdatePackVisibilityResult = outcomeUnion<UpdatePackVisibilityOutcome>(
  'UpdatePackVisibilityResult',
  'What updatePackVisibility answers.',
  packSuccess('visibility_updated', 'UpdatedPackVisibility', 'The pack has this visibility.'),
  { not_found: true, pack_in_use: true, pack_being_deleted: true },
);

const ClonePackResult = outcomeUnion<ClonePackOutcome>(
  'ClonePackResult',
  'What clonePack answers.',
  packSuccess('cloned', 'ClonedPack', 'The copy is there, with an image of its own.'),
  {
    not_found: true,
    validation_failed: true,
    name_taken: true,
    pack_being_deleted: true,
    registry_unavailable: true,
  },
);

builder.mutationFields((t) => ({
  deletePack: t.field({
    type: DeletePackResult,
    description:
      'Deletes a pack of the org that no role references, after purging its image where it was uploaded here. Safe to repeat: it resumes what a failure or crash left.',
    ...needs('caps:write'),
    args: { id: t.arg.id({ required: true, description: 'pack_…' }) },
    resolve: (_root, { id }, { world, caller }) => deletePack(world, caller, id),
  }),
  uploadPack: t.field({
    type: UploadPackResult,
    description: 'Makes a pack of a .tar.gz of its directory, sent as a multipart request.',
    ...needs('caps:write'),
    args: {
      archive: t.arg({ type: 'File', required: true, description: 'The .tar.gz.' }),
      visibility: t.arg({
        type: PackVisibility,
        required: true,
        defaultValue: 'ORG',
        description: 'Who may read and attach the pack.',
      }),
    },
    resolve: (_root, { archive, visibility }, { world, caller }) =>
      uploadPack(world, caller, { archive: archive.path, visibility }),
  }),
  createPackFromImage: t.field({
    type: CreatePackFromImageResult,
    description:
      'Makes a pack of an image that is in a registry already. Deleting the pack leaves that image alone.',
    ...needs('caps:write'),
    args: {
      imageRef: t.arg.string({
        required: true,
        description:
          '[host[:port]/]repository(:tag|@digest); without a host the configured registry is meant.',
      }),
      visibility: t.arg({
        type: PackVisibility,
        required: true,
        defaultValue: 'ORG',
        description: 'Who may read and attach the pack.',
      }),
    },
    resolve: (_root, args, { world, caller }) => createPackFromImage(world, caller, args),
  }),
  replacePackImage: t.field({
    type: ReplacePackImageResult,
    description:
      'Gives a pack another image of its own repository; id and name stay. The old image is purged where it was uploaded here and no other pack points at it.',
    ...needs('caps:write'),
    args: {
      id: t.arg.id({ required: true, description: 'pack_…' }),
      imageRef: t.arg.string({
        required: true,
        description: '[host[:port]/]repository(:tag|@digest), in the repository of the pack.',
      }),
    },
    resolve: (_root, args, { world, caller }) => replacePackImage(world, caller, args),
  }),
  updatePackVisibility: t.field({
    type: UpdatePackVisibilityResult,
    description: 'Shares a pack of the org, or stops sharing it once no other org uses it.',
    ...needs('caps:write'),
    args: {
      id: t.arg.id({ required: true, description: 'pack_…' }),
      visibility: t.arg({
        type: PackVisibility,
        required: true,
        description: 'Who may read and attach the pack.',
      }),
    },
    resolve: (_root, args, { world, caller }) => updatePackVisibility(world, caller, args),
  }),
  clonePack: t.field({
    type: ClonePackResult,
    description:
      'Copies any pack that the caller can see into the org of the caller, image included. The copy does not depend on the source.',
    ...needs('caps:write'),
    args: {
      id: t.arg.id({ required: true, description: 'pack_…' }),
      name: t.arg.string({ description: "The copy's name; the source's when left out." }),
    },
    resolve: (_root, args, { world, caller }) => clonePack(world, caller, args),
  }),
}));
