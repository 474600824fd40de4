import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import type { ProblemOf } from '../outcomes.ts';
import { findRoleByName } from './find-role-by-name.ts';

/** The refusal of a name that a role of the caller's org has, perhaps an archived one. */
export async function roleNameTaken(
  database: Database,
  caller: Caller,
  name: string,
): Promise<ProblemOf<'name_taken'>> {
  const role = await findRoleByName(database, caller, name);
  const archived = role !== null && role.archivedAt !== null;
  return { kind: 'name_taken', subject: 'agent_role', name, archived };
}
