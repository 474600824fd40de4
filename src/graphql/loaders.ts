/** The loaders of one request: what many fields ask for one by one is read in one statement. */
import DataLoader from 'dataloader';
import type { FieldNode } from 'graphql';
import { findAuditEvents } from '../audit/find-audit-events.ts';
import type { AuditEventRow } from '../audit/list-audit-events.ts';
import type { Caller } from '../identity/caller.ts';
import { findKeys, type KeyRow } from '../keys/find-key.ts';
import { type Extent, extents } from '../model/extent.ts';
import type { EventId, KeyId, PackId, RoleId } from '../model/ids.ts';
import type { ListedPack } from '../model/pack-row.ts';
import type { ListedRole } from '../model/role-row.ts';
import type { Problem } from '../outcomes.ts';
import type { ImageDisposition } from '../packs/image-disposition.ts';
import { lookUpPack } from '../packs/pack-lookup.ts';
import { countPacksOfRoles, packsOfRoles } from '../packs/packs-of-roles.ts';
import {
  type DeletionPreview,
  foreseeImages,
  previewDeletions,
} from '../packs/preview-deletion.ts';
import { countRolesOfPacks, type RoleCounts, rolesOfPacks } from '../packs/roles-of-packs.ts';
import type { Page, PageRequest } from '../page.ts';
import { problemDetails } from '../problem-details.ts';
import { findRoles } from '../roles/find-role.ts';
import type { World } from '../world.ts';
import { Allowance, pagesPerRead } from './limits/allowance.ts';

export interface Loaders {
  /** Roles that a list read together with its packs; for as much as it asked for, so for its own rows only. */
  readonly listedRoles: Map<
    ListedPack,
    { readonly request: PageRequest; readonly page: Page<ListedRole> }
  >;
  readonly allowance: Allowance;
  /** How much of its rows a field asks for, looked up once for all objects that it is asked of. */
  readonly extentOf: (nodes: readonly FieldNode[], look: () => Extent) => Extent;
  readonly pack: Readonly<Record<Extent, DataLoader<PackId, ListedPack | null>>>;
  readonly role: DataLoader<RoleId, ListedRole | null>;
  readonly event: DataLoader<EventId, AuditEventRow | null>;
  readonly key: DataLoader<KeyId, KeyRow | null>;
  readonly deletionPreview: DataLoader<PackId, DeletionPreview | null>;
  /** What would become of a pack's image, which the registry may have to be asked for. */
  readonly foreseenImage: DataLoader<DeletionPreview, ImageDisposition>;
  readonly roleCounts: DataLoader<PackId, RoleCounts>;
  readonly packCount: DataLoader<RoleId, number>;
  /** Fields that ask for as much of the same page share a loader. */
  readonly rolesOfPack: (page: PageRequest, extent: Extent) => DataLoader<PackId, Page<ListedRole>>;
  readonly packsOfRole: (page: PageRequest, extent: Extent) => DataLoader<RoleId, Page<ListedPack>>;
  /** What is told of a problem, however often it is asked for. */
  readonly problemDetails: DataLoader<Problem, Record<string, unknown> | null>;
}

export function createLoaders(world: World, caller: Caller): Loaders {
  const { database } = world;
  const allowance = new Allowance();
  const extentsOf = new Map<readonly FieldNode[], Extent>();
  /** Pages of lists within a list. */
  const pages = <Id, Row>(
    read: (ids: readonly Id[], page: PageRequest, extent: Extent) => Promise<Map<Id, Page<Row>>>,
  ) =>
    perExtent((extent, page: PageRequest) =>
      batched<Id, Page<Row>, Page<Row>>(
        (ids) => allowance.read(extent, () => read(ids, page, extent)),
        emptyPage,
        pagesPerRead(extent, page.size),
      ),
    );
  const packs = (extent: Extent) =>
    new DataLoader<PackId, ListedPack | null>(
      (ids) =>
        allowance.read(extent, () =>
          Promise.all(ids.map((id) => lookUpPack(database, caller.orgId, id, extent))),
        ),
      { maxBatchSize: pagesPerRead(extent, 1) },
    );
  const byId = <Row extends { readonly id: string }>(rows: readonly Row[]) =>
    new Map(rows.map((row) => [row.id, row]));
  return {
    listedRoles: new Map(),
    allowance,
    extentOf(nodes, look) {
      const extent = extentsOf.get(nodes) ?? look();
      extentsOf.set(nodes, extent);
      return extent;
    },
    pack: { brief: packs('brief'), described: packs('described'), whole: packs('whole') },
    role: batched(async (ids) => byId(await findRoles(database, caller, ids)), null),
    event: batched(async (ids) => byId(await findAuditEvents(database, caller.orgId, ids)), null),
    key: batched(async (ids) => byId(await findKeys(database, caller, ids)), null),
    deletionPreview: batched((ids) => previewDeletions(world, caller, ids), null),
    foreseenImage: new DataLoader((previews) => foreseeImages(world, previews)),
    roleCounts: batched((ids) => countRolesOfPacks(world, caller, ids), {
      own: 0,
      otherOrgs: 0,
    }),
    packCount: batched((ids) => countPacksOfRoles(world, caller, ids), 0),
    rolesOfPack: pages((ids, page, extent) => rolesOfPacks(world, caller, ids, page, extent)),
    packsOfRole: pages((ids, page, extent) => packsOfRoles(world, caller, ids, page, extent)),
    problemDetails: new DataLoader((problems) =>
      Promise.all(problems.map((problem) => problemDetails(world, caller, problem))),
    ),
  };
}

const emptyPage = { items: [], hasNext: false, hasPrevious: false };

function batched<Key, Value, None>(
  load: (keys: readonly Key[]) => Promise<ReadonlyMap<unknown, Value>>,
  none: None,
  maxBatchSize = Number.POSITIVE_INFINITY,
): DataLoader<Key, Value | None> {
  return new DataLoader(
    async (keys) => {
      const values = await load(keys);
      return keys.map((key) => values.get(key) ?? none);
    },
    { maxBatchSize },
  );
}

/** A loader for each extent of each page; one that reads more of the same rows than is asked for serves as well. */
function perExtent<Loader>(
  create: (extent: Extent, page: PageRequest) => Loader,
): (page: PageRequest, extent: Extent) => Loader {
  const loaders = new Map<string, Loader>();
  return (page, extent) => {
    const key = JSON.stringify(page);
    for (const wider of extents.slice(extents.indexOf(extent))) {
      const known = loaders.get(wider + key);
      if (known !== undefined) return known;
    }
    const made = create(extent, page);
    loaders.set(extent + key, made);
    return made;
  };
}
