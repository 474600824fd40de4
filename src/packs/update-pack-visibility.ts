import { recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds } from '../model/ids.ts';
import type { PackVisibility } from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';
import { roleRows } from '../model/role-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { beingDeleted } from './being-deleted.ts';
import type { Expectation } from './expected-state.ts';
import { lockPack } from './find-pack.ts';
import { rolesOfPacks } from './roles-of-packs.ts';
import { blockersOf, FIRST_BLOCKERS } from './verdict-lookup.ts';

export interface UpdatePackVisibilityInput {
  /** As the caller sent it; what is no pack id is not found. */
  readonly id: string;
  readonly visibility: PackVisibility;
  readonly expected?: Expectation | undefined;
}

export type UpdatePackVisibilityOutcome =
  | { readonly kind: 'visibility_updated'; readonly pack: PackRow }
  | ProblemOf<'not_found' | 'pack_in_use' | 'pack_being_deleted'>;

/**
 * Shares a pack of the caller's org, or stops sharing it as long as no role of another org holds it.
 *
 * What the pack has already changes nothing. Roles of the caller's own org keep a pack that is no longer shared.
 */
export async function updatePackVisibility(
  world: World,
  caller: Caller,
  input: UpdatePackVisibilityInput,
): Promise<UpdatePackVisibilityOutcome> {
  const packId = packIds.parse(input.id);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id: input.id };
  const outcome = await change(world, caller, packId, input);
  if (outcome.kind !== 'held') return outcome;
  const { pack } = outcome;
  const [own] = await rolesOfPacks(world, caller, [packId], FIRST_BLOCKERS, roleRows.whole);
  if (own === undefined) throw new Error('no page was read for the pack that was asked for');
  return { kind: 'pack_in_use', pack, blockers: blockersOf(own, { othersOnly: true }) };
}

type Change =
  | Exclude<UpdatePackVisibilityOutcome, ProblemOf<'pack_in_use'>>
  | { readonly kind: 'held'; readonly pack: PackRow };

function change(
  { database }: World,
  caller: Caller,
  packId: PackId,
  { id, visibility, expected }: UpdatePackVisibilityInput,
): Promise<Change> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    // The lock makes other orgs' attachments wait; afterwards they do not see the pack any more.
    const pack = await lockPack(em, packId);
    if (pack === null) return { kind: 'not_found', subject: 'pack', id };
    const { name, visibility: from } = pack;
    if (pack.status !== 'ACTIVE') return beingDeleted(caller, pack);
    expected?.({ pack });
    if (from === visibility) return { kind: 'visibility_updated', pack };
    if (visibility === 'ORG') {
      // A statement of its own, because its snapshot must be younger than the lock it waited for.
      const holders = await query(
        em,
        'select 1 from role_packs a where a.pack_id = $1::uuid and a.org_id <> $2::uuid limit 1',
        [packId, caller.orgId],
      );
      if (holders.length > 0) return { kind: 'held', pack };
    }
    pack.visibility = visibility;
    recordEvent(em, caller, 'PACK_VISIBILITY_CHANGED', packId, { name, from, to: visibility });
    return { kind: 'visibility_updated', pack };
  });
}
