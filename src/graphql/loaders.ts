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
import { type ListedRole, roleRows } from '../model/role-row.ts';
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

/** Each is made when it is first asked for: most requests need one of them. */
export class Loaders {
  readonly #world: World;
  readonly #caller: Caller;
  readonly allowance = new Allowance();
  /** Roles that a list read together with its packs; for as much as it asked for, so for its own rows only. */
  readonly listedRoles = new Map<
    ListedPack,
    { readonly request: PageRequest; readonly page: Page<ListedRole> }
  >();
  readonly #extentsOf = new Map<readonly FieldNode[], Extent>();
  readonly #pack: { [E in Extent]?: DataLoader<PackId, ListedPack | null> } = {};
  #role: DataLoader<RoleId, ListedRole | null> | undefined;
  #event: DataLoader<EventId, AuditEventRow | null> | undefined;
  #key: DataLoader<KeyId, KeyRow | null> | undefined;
  #deletionPreview: DataLoader<PackId, DeletionPreview | null> | undefined;
  #foreseenImage: DataLoader<DeletionPreview, ImageDisposition> | undefined;
  #roleCounts: DataLoader<PackId, RoleCounts> | undefined;
  #packCount: DataLoader<RoleId, number> | undefined;
  #rolesOfPack: PerPage<PackId, ListedRole> | undefined;
  #packsOfRole: PerPage<RoleId, ListedPack> | undefined;
  #problemDetails: DataLoader<Problem, Record<string, unknown> | null> | undefined;

  constructor(world: World, caller: Caller) {
    this.#world = world;
    this.#caller = caller;
  }

  /** How much of its rows a field asks for, looked up once for all objects that it is asked of. */
  extentOf(nodes: readonly FieldNode[], look: () => Extent): Extent {
    const extent = this.#extentsOf.get(nodes) ?? look();
    this.#extentsOf.set(nodes, extent);
    return extent;
  }

  pack(extent: Extent): DataLoader<PackId, ListedPack | null> {
    const { database } = this.#world;
    const { orgId } = this.#caller;
    this.#pack[extent] ??= new DataLoader(
      (ids) =>
        this.allowance.read(extent, () =>
          Promise.all(ids.map((id) => lookUpPack(database, orgId, id, extent))),
        ),
      { maxBatchSize: pagesPerRead(extent, 1) },
    );
    return this.#pack[extent];
  }

  get role(): DataLoader<RoleId, ListedRole | null> {
    this.#role ??= byId((ids) => findRoles(this.#world.database, this.#caller, ids));
    return this.#role;
  }

  get event(): DataLoader<EventId, AuditEventRow | null> {
    this.#event ??= byId((ids) => findAuditEvents(this.#world.database, this.#caller.orgId, ids));
    return this.#event;
  }

  get key(): DataLoader<KeyId, KeyRow | null> {
    this.#key ??= byId((ids) => findKeys(this.#world.database, this.#caller, ids));
    return this.#key;
  }

  get deletionPreview(): DataLoader<PackId, DeletionPreview | null> {
    this.#deletionPreview ??= byId((ids) => previewDeletions(this.#world, this.#caller, ids));
    return this.#deletionPreview;
  }

  /** What would become of a pack's image, which the registry may have to be asked for. */
  get foreseenImage(): DataLoader<DeletionPreview, ImageDisposition> {
    this.#foreseenImage ??= new DataLoader((previews) => foreseeImages(this.#world, previews));
    return this.#foreseenImage;
  }

  get roleCounts(): DataLoader<PackId, RoleCounts> {
    this.#roleCounts ??= new DataLoader((ids) => countRolesOfPacks(this.#world, this.#caller, ids));
    return this.#roleCounts;
  }

  get packCount(): DataLoader<RoleId, number> {
    this.#packCount ??= new DataLoader((ids) => countPacksOfRoles(this.#world, this.#caller, ids));
    return this.#packCount;
  }

  /** Fields that ask for as much of the same page share a loader. */
  rolesOfPack(page: PageRequest, extent: Extent): DataLoader<PackId, Page<ListedRole>> {
    this.#rolesOfPack ??= perPage(this.allowance, (ids, ofPage, ofExtent) =>
      rolesOfPacks(this.#world, this.#caller, ids, ofPage, roleRows[ofExtent]),
    );
    return this.#rolesOfPack(page, extent);
  }

  packsOfRole(page: PageRequest, extent: Extent): DataLoader<RoleId, Page<ListedPack>> {
    this.#packsOfRole ??= perPage(this.allowance, (ids, ofPage, ofExtent) =>
      packsOfRoles(this.#world, this.#caller, ids, ofPage, ofExtent),
    );
    return this.#packsOfRole(page, extent);
  }

  /** What is told of a problem, however often it is asked for. */
  get problemDetails(): DataLoader<Problem, Record<string, unknown> | null> {
    this.#problemDetails ??= new DataLoader((problems) =>
      Promise.all(problems.map((problem) => problemDetails(this.#world, this.#caller, problem))),
    );
    return this.#problemDetails;
  }
}

/** A loader of rows that are found in no particular order. */
const byId = <Id, Row extends { readonly id: Id }>(
  find: (ids: readonly Id[]) => Promise<readonly Row[]>,
): DataLoader<Id, Row | null> =>
  new DataLoader(async (ids) => {
    const rows = new Map((await find(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  });

type PerPage<Id, Row> = (page: PageRequest, extent: Extent) => DataLoader<Id, Page<Row>>;

/** A loader for each extent of each page; one that reads more of the same rows than is asked for serves as well. */
function perPage<Id, Row>(
  allowance: Allowance,
  read: (ids: readonly Id[], page: PageRequest, extent: Extent) => Promise<Page<Row>[]>,
): PerPage<Id, Row> {
  const loaders = new Map<string, DataLoader<Id, Page<Row>>>();
  return (page, extent) => {
    const key = JSON.stringify(page);
    for (const wider of extents.slice(extents.indexOf(extent))) {
      const known = loaders.get(wider + key);
      if (known !== undefined) return known;
    }
    const made = new DataLoader<Id, Page<Row>>(
      (ids) => allowance.read(extent, () => read(ids, page, extent)),
      { maxBatchSize: pagesPerRead(extent, page.size) },
    );
    loaders.set(extent + key, made);
    return made;
  };
}
