import type { SqlEntityManager } from '@mikro-orm/sql';
import { firstProblems } from '../field-problem.ts';
import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds } from '../model/ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import { beingDeleted } from '../packs/being-deleted.ts';
import { findPacks } from '../packs/find-pack.ts';
import { quoted } from '../quoted.ts';

/**
 * Locks the packs that a role is to hold, against deletion until the transaction ends.
 *
 * All or nothing: several ids that are not there, or are being deleted, are named together (`packIds.<index>`);
 * a single one is reported as the problem it is.
 */
export async function lockAttachablePacks(
  em: SqlEntityManager,
  caller: Caller,
  ids: readonly string[],
): Promise<
  | { readonly kind: 'packs'; readonly ids: readonly PackId[] }
  | ProblemOf<'not_found' | 'pack_being_deleted' | 'validation_failed'>
> {
  const parsed = ids.map((id) => packIds.parse(id));
  const wanted = [...new Set(parsed.filter((id) => id !== null))];
  const found = wanted.length === 0 ? [] : await findPacks(em, caller, wanted, 'share');
  const byId = new Map(found.map((pack) => [pack.id, pack]));
  const problems = ids
    .map((id, index) => {
      const packId = parsed[index] ?? null;
      return { index, id, pack: packId === null ? null : (byId.get(packId) ?? null) };
    })
    .filter(({ pack }) => pack?.status !== 'ACTIVE');
  const [first] = problems;
  if (first === undefined) return { kind: 'packs', ids: wanted };
  if (problems.length > 1) {
    const fields = problems.map(({ index, id, pack }) => ({
      path: `packIds.${index}`,
      message: pack === null ? `your org has no pack ${quoted(id)}` : 'is being deleted',
    }));
    return { kind: 'validation_failed', fields: firstProblems(fields) };
  }
  return first.pack === null
    ? { kind: 'not_found', subject: 'pack', id: first.id }
    : beingDeleted(caller, first.pack);
}
