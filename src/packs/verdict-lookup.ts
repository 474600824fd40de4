import type { Database } from '../database/database.ts';
import type { OrgId, PackId } from '../ids.ts';
import type { Blockers } from '../outcomes.ts';
import { type RoleArray, roleAsArray, roleOfArray } from '../roles/role-row.ts';
import { askedPacks, askingAboutPacks, type Placed } from './asked-packs.ts';
import { type DeletionVerdict, deletionVerdict } from './deletion-verdict.ts';
import { type PackArray, type PackRow, packAsArray, packOfArray } from './pack-row.ts';

/** The roles that a refusal carries along; further ones are read page by page. */
export const BLOCKERS_SHOWN = 50;

/** The verdict on a pack, as it is at this moment; whoever acts on it asks again under a lock. */
export interface Verdict {
  readonly pack: PackRow;
  /** What holds the pack; null where nothing does. */
  readonly blockers: Blockers | null;
  readonly image: DeletionVerdict['image'];
}

/** Finds the verdict on a pack of an org, or null where it has no such pack. */
export type VerdictLookup = (org: OrgId, id: PackId) => Promise<Verdict | null>;

type Found = Placed &
  DeletionVerdict & { readonly pack: PackArray; readonly roles: readonly RoleArray[] | null };

/** The lookup, for many requests in one statement; each for its own org. */
export const createVerdictLookup = (database: Database): VerdictLookup =>
  askingAboutPacks(database, VERDICTS, ({ pack, in_use, image, roles }: Found) => ({
    pack: packOfArray(pack),
    blockers: in_use ? blockersOf(roles ?? []) : null,
    image,
  }));

const blockersOf = (roles: readonly RoleArray[]): Blockers => ({
  roles: roles.slice(0, BLOCKERS_SHOWN).map(roleOfArray),
  hasMore: roles.length > BLOCKERS_SHOWN,
  othersOnly: false,
});

const VERDICTS = `
  select p.*, case when p.in_use then (
      select json_agg(r.role) from (
        select ${roleAsArray('whole')} as role from role_packs a
        join agent_roles r on r.id = a.role_id and r.org_id = a.org_id
        where a.pack_id = p.pack_id and a.org_id = p.org_id
        order by a.role_id desc limit ${BLOCKERS_SHOWN + 1}
      ) r
    ) end as roles
  from (
    select k.*, ${packAsArray('whole')} as pack, ${deletionVerdict}
    from ${askedPacks}
    join packs p on p.id = k.pack_id and p.org_id = k.org_id
  ) p`;
