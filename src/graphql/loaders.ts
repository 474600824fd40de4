/** The loaders of one request: what many fields ask for one by one is read in one statement. */
import DataLoader from 'dataloader';
import type { Caller } from '../identity/caller.ts';
import { findKeys, type KeyRow } from '../keys/find-key.ts';
import type { KeyId, PackId, RoleId } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { RoleRow } from '../model/role-row.ts';
import type { DeletionVerdict } from '../packs/deletion-verdict.ts';
import { lookUpPack } from '../packs/pack-lookup.ts';
import { countPacksOfRoles, packsOfRoles } from '../packs/packs-of-roles.ts';
import { previewDeletions } from '../packs/preview-deletion.ts';
import { countRolesOfPacks, type RoleCounts, rolesOfPacks } from '../packs/roles-of-packs.ts';
import type { Page, PageRequest } from '../page.ts';
import { findRoles } from '../roles/find-role.ts';
import type { World } from '../world.ts';

export interface Loaders {
  /** Roles that a list read together with its packs; for as much as it asked for, so for its own rows only. */
  readonly listedRoles: Map<
    PackRow,
    { readonly request: PageRequest; readonly page: Page<RoleRow> }
  >;
  readonly pack: DataLoader<PackId, PackRow | null>;
  readonly role: DataLoader<RoleId, RoleRow | null>;
  readonly key: DataLoader<KeyId, KeyRow | null>;
  readonly deletionVerdict: DataLoader<PackId, DeletionVerdict | null>;
  readonly roleCounts: DataLoader<PackId, RoleCounts>;
  readonly packCount: DataLoader<RoleId, number>;
  /** Fields that ask for the same page share a loader. */
  readonly rolesOfPack: (page: PageRequest) => DataLoader<PackId, Page<RoleRow>>;
  readonly packsOfRole: (page: PageRequest) => DataLoader<RoleId, Page<PackRow>>;
}

export function createLoaders(world: World, caller: Caller): Loaders {
  const { database } = world;
  const byId = <Row extends { readonly id: string }>(rows: readonly Row[]) =>
    new Map(rows.map((row) => [row.id, row]));
  return {
    listedRoles: new Map(),
    pack: new DataLoader((ids) =>
      Promise.all(ids.map((id) => lookUpPack(database, caller.orgId, id))),
    ),
    role: batched(async (ids) => byId(await findRoles(database, caller, ids)), null),
    key: batched(async (ids) => byId(await findKeys(database, caller, ids)), null),
    deletionVerdict: batched((ids) => previewDeletions(world, caller, ids), null),
    roleCounts: batched((ids) => countRolesOfPacks(world, caller, ids), {
      own: 0,
      otherOrgs: 0,
    }),
    packCount: batched((ids) => countPacksOfRoles(world, caller, ids), 0),
    rolesOfPack: perPage((page) =>
      batched((ids) => rolesOfPacks(world, caller, ids, page), emptyPage),
    ),
    packsOfRole: perPage((page) =>
      batched((ids) => packsOfRoles(world, caller, ids, page), emptyPage),
    ),
  };
}

const emptyPage = { items: [], hasNext: false, hasPrevious: false };

function batched<Key, Value, None>(
  load: (keys: readonly Key[]) => Promise<ReadonlyMap<unknown, Value>>,
  none: None,
): DataLoader<Key, Value | None> {
  return new DataLoader(async (keys) => {
    const values = await load(keys);
    return keys.map((key) => values.get(key) ?? none);
  });
}

function perPage<Loader>(create: (page: PageRequest) => Loader): (page: PageRequest) => Loader {
  const loaders = new Map<string, Loader>();
  return (page) => {
    const key = JSON.stringify(page);
    const loader = loaders.get(key) ?? create(page);
    loaders.set(key, loader);
    return loader;
  };
}
