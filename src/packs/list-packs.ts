import type { Caller } from '../identity/caller.ts';
import type { ImageOrigin, PackStatus, PackTier, PackVisibility } from '../model/pack.entity.ts';
import type { ListedPack } from '../model/pack-row.ts';
import type { ListedRole } from '../model/role-row.ts';
import type { Rows } from '../model/rows-of.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import { SLUG } from '../slug.ts';
import type { World } from '../world.ts';
import { type NameCondition, nameContains, searchedPage } from './name-search.ts';
import { type RolesJson, rolesAsJson } from './roles-of-packs.ts';

export interface PackFilter {
  readonly owned?: boolean | null | undefined;
  readonly visibility?: PackVisibility | null | undefined;
  readonly tier?: PackTier | null | undefined;
  readonly category?: string | null | undefined;
  readonly imageOrigin?: ImageOrigin | null | undefined;
  readonly status?: PackStatus | null | undefined;
  readonly nameContains?: string | null | undefined;
  /** At most as many as a page holds. */
  readonly names?: readonly string[] | null | undefined;
}

/** What a list reads. */
export interface PackListing<Pack extends ListedPack> {
  readonly rows: Rows<Pack>;
  /** The page of each pack's roles that is read in the same statement. */
  readonly roles: { readonly page: PageRequest; readonly rows: Rows<ListedRole> } | null;
}

export interface PackPage<Pack extends ListedPack> extends Page<Pack> {
  /** The roles of each pack, where they were asked for. */
  readonly roles: ReadonlyMap<Pack, Page<ListedRole>>;
}

/** Packs that the caller may see, newest first. */
export async function listPacks<Pack extends ListedPack>(
  { database }: World,
  caller: Caller,
  page: PageRequest,
  filter: PackFilter,
  { rows, roles }: PackListing<Pack>,
): Promise<PackPage<Pack>> {
  const { where, named, name, values } = conditions(caller, filter);
  const bind = (value: unknown) => `$${values.push(value)}`;
  if (name?.isIndexed === false) where.push(name.sql);
  where.push(...placeOf(page, 'p.id', bind));
  const sorted = `order by id ${orderOf(page)}`;
  const limit = bind(limitOf(page));
  const owners = branches(filter);
  const matching = (owner: string) => [owner, ...named, ...where].join(' and ');
  const newest = (columns: string, most: string) =>
    owners.map((owner) => {
      const found = `${named.length > 0 ? ofNames(owner, named) : 'packs p'}
        where ${[owner, ...where].join(' and ')} ${sorted} limit ${most}`;
      return isFoundInIndex(owner, filter)
        ? `(select ${columns} from packs p where p.id = any(array(select p.id from ${found})))`
        : `(select ${columns} from ${found})`;
    });
  const searched = { newest, branches: owners.map(matching) };
  const union = name?.isIndexed
    ? searchedPage(searched, name, sorted, limit, bind)
    : newest('p.*', limit).join(' union all ');
  const rolesOfPack =
    roles === null
      ? ''
      : `, (${rolesAsJson('p.id', '$1::uuid', roles.page, roles.rows, bind)}) as roles`;
  const records = await database.query<{ roles?: RolesJson }>(
    `select ${rows.columns}${rolesOfPack} from (${union}) p ${sorted} limit ${limit}`,
    values,
  );
  const rolesOf = new Map<Pack, Page<ListedRole>>();
  const packs = records.map((record) => {
    const pack = rows.ofRecord(record);
    if (roles !== null) {
      const ofPack = (record.roles ?? []).map(roles.rows.ofArray);
      rolesOf.set(pack, toPage(roles.page, ofPack));
    }
    return pack;
  });
  return { ...toPage(page, packs), roles: rolesOf };
}

/** Packs by their names before all else: PostgreSQL might rather go through a whole part of the list for them. */
const ofNames = (owner: string, named: readonly string[]): string =>
  `(select p.* from packs p where ${[owner, ...named].join(' and ')} offset 0) p`;

/**
 * Whether the packs are told within an index, which is gone through before any of them is read. PostgreSQL takes what is
 * shared to lie side by side, and would read all of it for the few that a filter leaves.
 */
function isFoundInIndex(
  owner: string,
  { category, imageOrigin, tier, status }: PackFilter,
): boolean {
  if (owner === SHARED_BY_OTHERS) return true;
  return owner === SHARED && (category ?? imageOrigin ?? tier ?? status) != null;
}

/** How many packs `listPacks` would go through. */
export async function countPacks(
  { database }: World,
  caller: Caller,
  filter: PackFilter,
): Promise<number> {
  const { where, named, name, values } = conditions(caller, filter);
  where.push(...named);
  if (name !== null) where.push(name.sql);
  const counts = branches(filter).map(
    (owner) => `(select count(*) from packs p where ${[owner, ...where].join(' and ')})`,
  );
  const [row] = await database.query<{ count: string | number }>(
    `select ${counts.join(' + ')} as count`,
    values,
  );
  return Number(row?.count ?? 0);
}

/** Written out, and not bound, as tiers and statuses are, for the indexes that hold nothing but the rare ones of these. */
const ofVisibility: Record<PackVisibility, string> = {
  ORG: "p.visibility = 'ORG'",
  COMMUNITY: "p.visibility = 'COMMUNITY'",
};
const SHARED = ofVisibility.COMMUNITY;
const SHARED_BY_OTHERS = `p.org_id <> $1::uuid and ${SHARED}`;
/** Every statement names the org, also where nothing of its own can be in the list. */
const NONE = 'p.org_id = $1::uuid and false';
const OF_PLATFORM = 'p.org_id is null';

/**
 * What a caller may see, as branches that do not overlap, each walked in order on an index of its own. One
 * condition with `or` would make the planner walk or sort all packs of all orgs; and a branch of what other orgs
 * share would have to step over all that the caller's own org shares.
 */
function branches({ owned, visibility }: PackFilter): readonly string[] {
  const own = 'p.org_id = $1::uuid';
  if (owned === true) return [own];
  if (owned === false) {
    return visibility === 'ORG' ? [NONE, OF_PLATFORM] : [SHARED_BY_OTHERS, OF_PLATFORM];
  }
  const unshared = [`${own} and ${ofVisibility.ORG}`, `${OF_PLATFORM} and ${ofVisibility.ORG}`];
  if (visibility === 'ORG') return unshared;
  return visibility === 'COMMUNITY' ? [NONE, SHARED] : [...unshared, SHARED];
}

function conditions(
  caller: Caller,
  filter: PackFilter,
): {
  readonly where: string[];
  readonly named: readonly string[];
  readonly name: NameCondition | null;
  readonly values: unknown[];
} {
  const values: unknown[] = [caller.orgId];
  const where: string[] = [];
  const equals = (column: string, value: string | null | undefined) => {
    if (value != null) where.push(`p.${column} = $${values.push(value)}`);
  };
  equals('category', filter.category);
  equals('image_origin', filter.imageOrigin);
  if (filter.visibility != null) where.push(ofVisibility[filter.visibility]);
  if (filter.tier != null) where.push(ofTier[filter.tier]);
  if (filter.status != null) where.push(ofStatus[filter.status]);
  const named =
    filter.names == null
      ? []
      : [`p.name = any($${values.push(filter.names.filter((name) => SLUG.test(name)))}::text[])`];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const name = filter.nameContains == null ? null : nameContains(filter.nameContains, bind);
  return { where, named, name, values };
}

const ofTier: Record<PackTier, string> = {
  RECOMMENDED: "p.tier = 'RECOMMENDED'",
  VERIFIED: "p.tier = 'VERIFIED'",
  COMMUNITY: "p.tier = 'COMMUNITY'",
};
const ofStatus: Record<PackStatus, string> = {
  ACTIVE: "p.status = 'ACTIVE'",
  // As others are shown it (`statusShownTo`).
  DELETING:
    "(p.status = 'DELETING' or p.status = 'CLEANUP_FAILED' and p.org_id is distinct from $1::uuid)",
  CLEANUP_FAILED: "p.status = 'CLEANUP_FAILED' and p.org_id = $1::uuid",
};
