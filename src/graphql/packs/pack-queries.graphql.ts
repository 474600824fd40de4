import { type ListedPack, listedPackRows, packExtent } from '../../model/pack-row.ts';
import { listedRoleRows } from '../../model/role-row.ts';
import { findPackByName } from '../../packs/find-pack-by-name.ts';
import { countPacks, listPacks, type PackListing } from '../../packs/list-packs.ts';
import { MAX_PAGE_SIZE, type PageArguments, type PageRequest, pageRequest } from '../../page.ts';
import { RequestRefused } from '../../request-refused.ts';
import { builder } from '../builder.ts';
import { pageArguments, toConnection } from '../connection.ts';
import { readsRow } from '../limits/price.ts';
import { Pack, PackConnection } from '../refs.ts';
import { type Selection, selectedItems } from '../selected-items.ts';
import { loadPack } from './pack.graphql.ts';
import { ImageOrigin, PackStatus, PackTier, PackVisibility } from './pack-enums.graphql.ts';

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
function listingOf(packs: Selection): PackListing<ListedPack> {
  const roles = packs.connection('roles');
  const page = roles?.readsPage ? pageBelow(roles.args) : null;
  return {
    rows: listedPackRows(packs.fields),
    roles: roles && page && { page, rows: listedRoleRows(roles.items.fields) },
  };
}

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
      const packs = selectedItems(info);
      const listing = listingOf(packs);
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
        () => loaders.allowance.read(packExtent(packs.fields), read),
        () => countPacks(world, caller, filter ?? {}),
      );
    },
  }),
}));
