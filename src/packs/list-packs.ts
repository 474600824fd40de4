import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds, uuidOf } from '../ids.ts';
import { limitOf, orderOf, type Page, type PageRequest, toPage } from '../page.ts';
import { type RoleRecord, type RoleRow, toRoleRow } from '../roles/role-row.ts';
import { rolesAsJson } from '../roles/roles-of-packs.ts';
import type { Services } from '../services.ts';
import type { ImageOrigin, PackStatus, PackTier, PackVisibility } from './pack.entity.ts';
import { type PackRecord, type PackRow, packColumns, toPackRow } from './pack-row.ts';

export interface PackFilter {
  readonly owned?: boolean | null | undefined;
  readonly visibility?: PackVisibility | null | undefined;
  readonly tier?: PackTier | null | undefined;
  readonly category?: string | null | undefined;
  readonly imageOrigin?: ImageOrigin | null | undefined;
  readonly status?: PackStatus | null | undefined;
  readonly nameContains?: string | null | undefined;
}

export interface PackPage extends Page<PackRow> {
  /** The page of roles of each pack, where `rolesPage` asked for it. */
  readonly roles: ReadonlyMap<PackId, Page<RoleRow>>;
}

/**
 * Packs that the caller may see, newest first.
 * @param rolesPage brings this page of each pack's roles along, in the same statement
 */
export async function listPacks(
  { database }: Services,
  caller: Caller,
  page: PageRequest,
  filter: PackFilter,
  rolesPage: PageRequest | null = null,
): Promise<PackPage> {
  const { where, values } = conditions(caller, filter);
  const bind = (value: unknown) => `$${values.push(value)}`;
  if (page.olderThan !== null) where.push(`p.id < ${bind(page.olderThan)}`);
  if (page.newerThan !== null) where.push(`p.id > ${bind(page.newerThan)}`);
  const order = `order by id ${orderOf(page)} limit ${bind(limitOf(page))}`;
  const union = branches(filter)
    .map((owner) => {
      const all = [owner, ...where].join(' and ');
      return `(select ${packColumns} from packs p where ${all} ${order})`;
    })
    .join(' union all ');
  const roles = rolesPage === null ? '' : `, (${rolesAsJson('p.id', rolesPage, bind)}) as roles`;
  const records = await database.query<PackRecord & { roles?: RoleRecord[] | null }>(
    `select p.*${roles} from (${union}) p ${order}`,
    values,
  );
  return {
    ...toPage(page, records.map(toPackRow)),
    roles: new Map(
      rolesPage === null
        ? []
        : records.map(({ id, roles }) => [
            packIds.of(id),
            toPage(rolesPage, (roles ?? []).map(toRoleRow)),
          ]),
    ),
  };
}

/** How many packs `listPacks` would go through. */
export async function countPacks(
  { database }: Services,
  caller: Caller,
  filter: PackFilter,
): Promise<number> {
  const { where, values } = conditions(caller, filter);
  const counts = branches(filter).map(
    (owner) => `(select count(*) from packs p where ${[owner, ...where].join(' and ')})`,
  );
  const [row] = await database.query<{ count: string | number }>(
    `select ${counts.join(' + ')} as count`,
    values,
  );
  return Number(row?.count ?? 0);
}

/**
 * What a caller may see, as branches that do not overlap, each walked in order on an index of its own. One
 * condition with `or` would make the planner walk or sort all packs of all orgs.
 */
function branches(filter: PackFilter): readonly string[] {
  const own = 'p.org_id = $1';
  const shared = [
    "p.org_id <> $1 and p.visibility = 'COMMUNITY'",
    'p.org_id is null and $1::uuid is not null',
  ];
  if (filter.owned === true) return [own];
  return filter.owned === false ? shared : [own, ...shared];
}

function conditions(
  caller: Caller,
  filter: PackFilter,
): { readonly where: string[]; readonly values: unknown[] } {
  const values: unknown[] = [uuidOf(caller.orgId)];
  const where: string[] = [];
  const equals = (column: string, value: string | null | undefined) => {
    if (value != null) where.push(`p.${column} = $${values.push(value)}`);
  };
  equals('visibility', filter.visibility);
  equals('tier', filter.tier);
  equals('category', filter.category);
  equals('image_origin', filter.imageOrigin);
  equals('status', filter.status);
  if (filter.nameContains != null) {
    where.push(`position($${values.push(filter.nameContains.toLowerCase())} in p.name) > 0`);
  }
  return { where, values };
}
