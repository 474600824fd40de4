import type { GraphQLResolveInfo } from 'graphql';
import { detail } from '../../model/extent.ts';
import { type PackId, packIds } from '../../model/ids.ts';
import {
  type CleanupFailure,
  cleanupFailureOf,
  type ListedPack,
  packExtent,
} from '../../model/pack-row.ts';
import { roleExtent } from '../../model/role-row.ts';
import { findPackByName } from '../../packs/find-pack-by-name.ts';
import { countPacks, listPacks, type PackListing } from '../../packs/list-packs.ts';
import type { DeletionPreview } from '../../packs/preview-deletion.ts';
import { statusShownTo } from '../../packs/status-shown.ts';
import {
  isSamePage,
  MAX_PAGE_SIZE,
  type PageArguments,
  type PageRequest,
  pageRequest,
} from '../../page.ts';
import { RequestRefused } from '../../request-refused.ts';
import { builder } from '../builder.ts';
import { forwardArguments, pageArguments, toConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { countedText, ofCharacters, readsRow, upTo } from '../limits/price.ts';
import { AgentRoleConnection, Pack, PackConnection } from '../refs.ts';
import { selectedFields, selectedItems } from '../selected-items.ts';
import {
  ImageDispositionEnum,
  ImageOrigin,
  PackStatus,
  PackTier,
  PackVisibility,
  RegistryFailureReasonEnum,
} from './pack-enums.graphql.ts';

/** The roles of the caller's org that reference a pack. */
export function rolesConnection(
  id: PackId,
  args: PageArguments,
  { loaders }: Context,
  info: GraphQLResolveInfo,
) {
  const page = pageRequest(args);
  const look = () => roleExtent(selectedItems(info).fields);
  return toConnection(
    () => loaders.rolesOfPack(page, loaders.extentOf(info.fieldNodes, look)).load(id),
    async () => (await loaders.roleCounts.load(id)).own,
  );
}

/** Null where the arguments make no page: then the field they were given to says so, in its own place. */
function pageBelow(args: PageArguments): PageRequest | null {
  try {
    return pageRequest(args);
  } catch (error) {
    if (error instanceof RequestRefused) return null;
    throw error;
  }
}

/** What a list of packs has to read for what the caller asked for, roles included. */
function listingOf(info: GraphQLResolveInfo): PackListing {
  const packs = selectedItems(info);
  const roles = packs.connection('roles');
  const page = roles?.readsPage ? pageBelow(roles.args) : null;
  return {
    extent: packExtent(packs.fields),
    roles: roles && page && { page, extent: roleExtent(roles.items.fields) },
  };
}

/** A pack by its id, and as much of it as was asked for. */
export function loadPack(id: string, { loaders }: Context, info: GraphQLResolveInfo) {
  const packId = packIds.parse(id);
  const look = () => packExtent(selectedFields(info, 'Pack'));
  return packId === null
    ? null
    : loaders.pack(loaders.extentOf(info.fieldNodes, look)).load(packId);
}

const isOwned = (pack: ListedPack, { caller }: Context) => pack.org === caller.orgId;

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

const DeletionPreviewRef = builder
  .objectRef<{ readonly id: PackId; readonly preview: DeletionPreview }>('DeletionPreview')
  .implement({
    description: 'What deletePack would answer now.',
    fields: (t) => ({
      deletable: t.boolean({
        description: 'Whether no role references the pack.',
        resolve: ({ preview }) => !preview.in_use,
      }),
      image: t.field({
        type: ImageDispositionEnum,
        description:
          'What would become of the image. The registry is asked about a pack that no role holds (up to 2 s for all of a request); while it does not answer, this is what the database knows: PURGED is then said also of an image that an index of somebody else needs, or that is gone.',
        resolve: ({ preview }, _args, { loaders }) => loaders.foreseenImage.load(preview),
      }),
      roles: t.field({
        type: AgentRoleConnection,
        description: "Roles of the caller's org that reference the pack, archived ones included.",
        args: forwardArguments(t, 50),
        resolve: ({ id }, args, context, info) => rolesConnection(id, args, context, info),
      }),
      otherOrgRoleCount: t.int({
        description: 'How many roles of other orgs reference it.',
        ...readsRow(),
        resolve: async ({ id }, _args, { loaders }) =>
          (await loaders.roleCounts.load(id)).otherOrgs,
      }),
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
      resolve: (pack, _args, context) => (isOwned(pack, context) ? pack.org : null),
    }),
    owned: t.boolean({
      description: "Whether the caller's org owns it.",
      resolve: (pack, _args, context) => isOwned(pack, context),
    }),
    name: t.exposeString('name', { ...upTo(65), description: 'A slug, unique in its org.' }),
    displayName: t.exposeString('displayName', {
      ...upTo(ofCharacters(255)),
      description: 'The name for people.',
    }),
    description: t.string({
      ...countedText(),
      nullable: true,
      resolve: ({ description }) => detail(description),
      description: 'What it is for.',
    }),
    version: t.exposeString('version', { ...upTo(257), description: 'A semantic version.' }),
    tier: t.expose('tier', { type: PackTier, description: 'How far the platform vouches for it.' }),
    visibility: t.expose('visibility', {
      type: PackVisibility,
      description: 'Who may read and attach it.',
    }),
    category: t.string({
      ...upTo(ofCharacters(255)),
      nullable: true,
      resolve: ({ category }) => detail(category),
      description: 'A free grouping.',
    }),
    capabilities: t.string({
      ...countedText(64 * 1024),
      nullable: true,
      resolve: ({ capabilities }) => detail(capabilities),
      description: 'The caps.yaml fragment.',
    }),
    suggestedPacks: t.stringList({
      ...countedText(64 * 1024),
      description: 'Names of packs that go well with it.',
      resolve: ({ suggestedPacks }) => detail(suggestedPacks),
    }),
    imageOrigin: t.expose('imageOrigin', {
      type: ImageOrigin,
      description: 'Where its image came from, and so whether deletion purges it.',
    }),
    imageRef: t.exposeString('imageRef', { ...upTo(1024), description: 'What to pull.' }),
    imageDigest: t.string({
      ...upTo(73),
      nullable: true,
      resolve: ({ imageDigest }) => detail(imageDigest),
      description: "The manifest's digest.",
    }),
    sizeBytes: t.expose('sizeBytes', { type: 'Long', description: "The image's size in bytes." }),
    status: t.field({
      type: PackStatus,
      description: 'Whether it can be used.',
      resolve: (pack, _args, { caller }) => statusShownTo(caller, pack),
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
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When it last changed.',
      resolve: ({ updatedAt }) => detail(updatedAt),
    }),
  }),
});

builder.asEntity(Pack, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => loadPack(id, context, info),
});

const PackFilter = builder.inputType('PackFilter', {
  description: 'Which packs to list; everything given must hold.',
  fields: (t) => ({
    owned: t.boolean({ description: "Only the caller's own packs, or only those of others." }),
    visibility: t.field({ type: PackVisibility, description: 'Only packs of this visibility.' }),
    tier: t.field({ type: PackTier, description: 'Only packs of this tier.' }),
    category: t.string({ description: 'Only packs of exactly this category.' }),
    imageOrigin: t.field({ type: ImageOrigin, description: 'Only packs of this image origin.' }),
    status: t.field({ type: PackStatus, description: 'Only packs in this state.' }),
    nameContains: t.string({ description: 'Only packs whose name holds this text.' }),
    names: t.stringList({
      description: `Only packs with one of these names, at most ${MAX_PAGE_SIZE}.`,
    }),
  }),
});

builder.queryFields((t) => ({
  pack: t.field({
    type: Pack,
    nullable: true,
    description: 'One pack; null where the caller can see none of this id.',
    args: { id: t.arg.id({ required: true, description: 'pack_…' }) },
    ...readsRow(),
    resolve: (_root, { id }, context, info) => loadPack(id, context, info),
  }),
  packByName: t.field({
    type: Pack,
    nullable: true,
    description: "The pack of the caller's own org that has this name; null where there is none.",
    args: { name: t.arg.string({ required: true, description: 'Exactly as it is written.' }) },
    ...readsRow(),
    resolve: (_root, { name }, { world, caller }) => findPackByName(world.database, caller, name),
  }),
  packs: t.field({
    type: PackConnection,
    description: "The org's own packs, those shared by others and the platform's, newest first.",
    args: {
      ...pageArguments(t),
      filter: t.arg({ type: PackFilter, description: 'Which packs; all when left out.' }),
    },
    resolve: (_root, { filter, ...args }, { world, caller, loaders }, info) => {
      const request = pageRequest(args);
      const listing = listingOf(info);
      if ((filter?.names?.length ?? 0) > MAX_PAGE_SIZE) {
        throw new RequestRefused('bad_request', `"names" may hold at most ${MAX_PAGE_SIZE} names.`);
      }
      const read = async () => {
        const page = await listPacks(world, caller, request, filter ?? {}, listing);
        if (listing.roles !== null) {
          const { page: ofRoles } = listing.roles;
          for (const [pack, roles] of page.roles) {
            loaders.listedRoles.set(pack, { request: ofRoles, page: roles });
          }
        }
        return page;
      };
      return toConnection(
        () => loaders.allowance.read(listing.extent, read),
        () => countPacks(world, caller, filter ?? {}),
      );
    },
  }),
}));
