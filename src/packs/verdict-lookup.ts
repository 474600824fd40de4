import type { Database } from '../database/database.ts';
import type { Placed } from '../database/gathered.ts';
import type { OrgId, PackId } from '../model/ids.ts';
import { type PackRow, packRows } from '../model/pack-row.ts';
import { type RoleRow, roleRows } from '../model/role-row.ts';
import type { Blockers } from '../outcomes.ts';
import { type Page, pageRequest, toPage } from '../page.ts';
import { aboutPacks, askedPacks } from './asked-packs.ts';
import { type DeletionVerdict, deletionVerdict } from './deletion-verdict.ts';
import { type RolesJson, rolesAsJson } from './roles-of-packs.ts';

/** The roles that a refusal carries along; further ones are read page by page. */
export const BLOCKERS_SHOWN = 50;

/** The page of them. */
export const FIRST_BLOCKERS = pageRequest({ first: BLOCKERS_SHOWN });

/** The verdict on a pack, as it is at this moment; to act on it, ask again under a lock. */
export interface Verdict {
  readonly pack: PackRow;
  /** What holds the pack; null where nothing does. */
  readonly blockers: Blockers | null;
  readonly image: DeletionVerdict['image'];
}

/** The verdict on a pack of an org, or null where it has no such pack; for many requests in one statement. */
export const findVerdict = (database: Database, org: OrgId, id: PackId): Promise<Verdict | null> =>
  database.gather(verdicts, { org, id });

type Found = Placed &
  DeletionVerdict & { readonly pack: readonly unknown[]; readonly roles: RolesJson | null };

export const blockersOf = (
  { items, hasNext }: Page<RoleRow>,
  { othersOnly }: Pick<Blockers, 'othersOnly'>,
): Blockers => ({ roles: items, hasMore: hasNext, othersOnly });

const verdicts = aboutPacks(
  `
  select p.*,
    case when p.in_use then (${rolesAsJson('p.pack_id', 'p.org_id', FIRST_BLOCKERS, roleRows.whole, String)}) end as roles
  from (
    select k.*, ${packRows.whole.json} as pack, ${deletionVerdict}
    from ${askedPacks}
    join packs p on p.id = k.pack_id and p.org_id = k.org_id
  ) p`,
  ({ pack, in_use, image, roles }: Found): Verdict => ({
    pack: packRows.whole.ofArray(pack),
    blockers: in_use
      ? blockersOf(toPage(FIRST_BLOCKERS, (roles ?? []).map(roleRows.whole.ofArray)), {
          othersOnly: false,
        })
      : null,
    image,
  }),
);
