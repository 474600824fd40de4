import type { Database } from '../database/database.ts';
import { gathered } from '../database/gathered.ts';
import { type OrgId, type PackId, uuidOf } from '../ids.ts';
import type { Blockers } from '../outcomes.ts';
import { type RoleArray, roleAsArray, roleOfArray } from '../roles/role-row.ts';
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

interface Wanted {
  readonly org: OrgId;
  readonly id: PackId;
}

/** The lookup, for many requests in one statement; each for its own org. */
export function createVerdictLookup(database: Database): VerdictLookup {
  type Found = DeletionVerdict & {
    place: number | string;
    pack: PackArray;
    roles: RoleArray[] | null;
  };
  const find = gathered(async (wanted: readonly Wanted[]) => {
    const records = await database.query<Found>(VERDICTS, [
      wanted.map(({ org }) => uuidOf(org)),
      wanted.map(({ id }) => uuidOf(id)),
    ]);
    const found = new Map(records.map((record) => [Number(record.place), record]));
    return wanted.map((_, index) => {
      const record = found.get(index + 1);
      if (record === undefined) return null;
      const { pack, in_use, image, roles } = record;
      return { pack: packOfArray(pack), blockers: in_use ? blockersOf(roles ?? []) : null, image };
    });
  });
  return (org, id) => find({ org, id });
}

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
    from unnest($1::uuid[], $2::uuid[]) with ordinality as k (org_id, pack_id, place)
    join packs p on p.id = k.pack_id and p.org_id = k.org_id
  ) p`;
