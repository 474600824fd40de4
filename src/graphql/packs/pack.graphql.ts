import type { GraphQLResolveInfo } from 'graphql';
import { columnReader, detail } from '../../model/extent.ts';
import { packIds } from '../../model/ids.ts';
import {
  type CleanupFailure,
  cleanupFailureOf,
  type ListedPack,
  type PackRow,
  packExtent,
} from '../../model/pack-row.ts';
import { LARGEST_PACK_YAML } from '../../packs/pack-metadata.ts';
import { statusShownTo } from '../../packs/status-shown.ts';
import { isSamePage, pageRequest } from '../../page.ts';
import { builder } from '../builder.ts';
import { forwardArguments, toConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { countedText, ofCharacters, readsRow, upTo } from '../limits/price.ts';
import { AgentRoleConnection, Pack } from '../refs.ts';
import { selectedFields } from '../selected-items.ts';
import { DeletionPreviewRef } from './deletion-preview.graphql.ts';
import {
  ImageOrigin,
  PackStatus,
  PackTier,
  PackVisibility,
  RegistryFailureReasonEnum,
} from './pack-enums.graphql.ts';
import { rolesConnection } from './roles-of-pack.ts';

/** A pack by its id, and as much of it as was asked for. */
export function loadPack(id: string, { loaders }: Context, info: GraphQLResolveInfo) {
  const packId = packIds.parse(id);
  const look = () => packExtent(selectedFields(info, 'Pack'));
  return packId === null
    ? null
    : loaders.pack(loaders.extentOf(info.fieldNodes, look)).load(packId);
}

const column = columnReader<PackRow>();

const isOwned = ({ org }: ListedPack, { caller }: Context) => detail(org) === caller.orgId;

const CleanupFailureType = builder.objectRef<CleanupFailure>('CleanupFailure').implement({
  description: 'Why the last purge of an image failed.',
  fields: (t) => ({
    reason: t.expose('reason', {
      type: RegistryFailureReasonEnum,
      description: 'What went wrong, for programs.',
    }),
    message: t.exposeString('message', {
      ...countedText(),
      description: 'What went wrong, for people.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it failed.' }),
    attempts: t.exposeInt('attempts', { description: 'How many deletions have failed so far.' }),
  }),
});

builder.node(Pack, {
  description: 'A versioned bundle of agent content, stored as an OCI image.',
  id: { resolve: ({ id }) => id, description: 'Starts with pack_.' },
  loadWithoutCache: (id, context, info) => loadPack(id, context, info),
  fields: (t) => ({
    orgId: t.id({
      nullable: true,
      description: 'The owning org; null on a pack that the caller does not own.',
      resolve: (pack, _args, context) => (isOwned(pack, context) ? context.caller.orgId : null),
    }),
    owned: t.boolean({
      description: "Whether the caller's org owns it.",
      resolve: (pack, _args, context) => isOwned(pack, context),
    }),
    name: t.string({
      resolve: column('name'),
      ...upTo(65),
      description: 'A slug, unique in its org.',
    }),
    displayName: t.string({
      resolve: column('displayName'),
      ...upTo(ofCharacters(255)),
      description: 'The name for people.',
    }),
    description: t.string({
      ...countedText(),
      nullable: true,
      resolve: column('description'),
      description: 'What it is for.',
    }),
    version: t.string({
      resolve: column('version'),
      ...upTo(257),
      description: 'A semantic version.',
    }),
    tier: t.field({
      resolve: column('tier'),
      type: PackTier,
      description: 'How far the platform vouches for it.',
    }),
    visibility: t.field({
      resolve: column('visibility'),
      type: PackVisibility,
      description: 'Who may read and attach it.',
    }),
    category: t.string({
      ...upTo(ofCharacters(255)),
      nullable: true,
      resolve: column('category'),
      description: 'A category that its author chose.',
    }),
    capabilities: t.string({
      ...countedText(LARGEST_PACK_YAML),
      nullable: true,
      resolve: column('capabilities'),
      description: 'The caps.yaml fragment.',
    }),
    suggestedPacks: t.stringList({
      ...countedText(LARGEST_PACK_YAML),
      description: 'Names of packs that go well with it.',
      resolve: column('suggestedPacks'),
    }),
    imageOrigin: t.field({
      resolve: column('imageOrigin'),
      type: ImageOrigin,
      description: 'Where its image came from, and so whether deletion purges it.',
    }),
    imageRef: t.string({
      resolve: column('imageRef'),
      ...upTo(1024),
      description: 'What to pull.',
    }),
    imageDigest: t.string({
      ...upTo(73),
      nullable: true,
      resolve: column('imageDigest'),
      description: "The manifest's digest.",
    }),
    sizeBytes: t.field({
      resolve: column('sizeBytes'),
      type: 'Long',
      description: "The image's size in bytes.",
    }),
    status: t.field({
      type: PackStatus,
      description: 'Whether it can be used.',
      resolve: ({ org, status }, _args, { caller }) =>
        statusShownTo(caller, { org: detail(org), status: detail(status) }),
    }),
    cleanupFailure: t.field({
      type: CleanupFailureType,
      nullable: true,
      description:
        'Why the last deletion failed; null when none did, and on a pack of another org.',
      resolve: (pack, _args, context) => (isOwned(pack, context) ? cleanupFailureOf(pack) : null),
    }),
    roles: t.field({
      type: AgentRoleConnection,
      description: "The roles of the caller's org that reference it, archived ones included.",
      args: forwardArguments(t),
      resolve: (pack, args, context, info) => {
        const listed = context.loaders.listedRoles.get(pack);
        return listed === undefined || !isSamePage(listed.request, pageRequest(args))
          ? rolesConnection(pack.id, args, context, info)
          : toConnection(
              () => listed.page,
              async () => (await context.loaders.roleCounts.load(pack.id)).own,
            );
      },
    }),
    deletionPreview: t.field({
      type: DeletionPreviewRef,
      nullable: true,
      ...readsRow(),
      description:
        'What deletePack would answer now, by the same decision; null on a pack that the caller does not own.',
      resolve: async ({ id }, _args, { loaders }) => {
        const preview = await loaders.deletionPreview.load(id);
        return preview === null ? null : { id, preview };
      },
    }),
    createdAt: t.field({
      resolve: column('createdAt'),
      type: 'DateTime',
      description: 'When it was made.',
    }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When it last changed.',
      resolve: column('updatedAt'),
    }),
  }),
});

builder.asEntity(Pack, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => loadPack(id, context, info),
});
