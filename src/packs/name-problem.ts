import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Caller } from '../identity/caller.ts';
import { Pack } from '../model/pack.entity.ts';
import type { ProblemOf } from '../outcomes.ts';
import { beingDeleted } from './being-deleted.ts';

/** Who has a name in the caller's org: a pack that stays, or one whose deletion will free it; null: nobody. */
export async function nameProblem(
  em: SqlEntityManager,
  caller: Caller,
  name: string,
): Promise<ProblemOf<'name_taken' | 'pack_being_deleted'> | null> {
  const pack = await em.findOne(Pack, { name }, { fields: ['id', 'name', 'org', 'status'] });
  if (pack === null) return null;
  return pack.status === 'ACTIVE' ? nameTaken(name) : beingDeleted(caller, pack);
}

export const nameTaken = (name: string): ProblemOf<'name_taken'> => ({
  kind: 'name_taken',
  subject: 'pack',
  name,
});
