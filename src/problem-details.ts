import type { FieldProblem } from './field-problem.ts';
import type { Caller } from './identity/caller.ts';
import type { Problem } from './outcomes.ts';
import { countRolesOfPacks } from './packs/roles-of-packs.ts';
import type { World } from './world.ts';

/** The `details` of a problem, in the form that the contract fixes for REST; null where it has none. */
export async function problemDetails(
  world: World,
  caller: Caller,
  problem: Problem,
): Promise<Record<string, unknown> | null> {
  switch (problem.kind) {
    case 'pack_in_use': {
      const { pack, blockers } = problem;
      const [counts] = await countRolesOfPacks(world, caller, [pack.id]);
      return {
        roles: blockers.roles.map(({ id, name, archivedAt }) => ({
          id,
          name,
          archived: archivedAt !== null,
        })),
        total: counts?.own ?? 0,
        other_org_total: counts?.otherOrgs ?? 0,
      };
    }
    case 'registry_cleanup_failed':
      return { ...failureDetails(problem.failure), attempts: problem.attempts };
    case 'registry_unavailable':
      return failureDetails(problem.failure);
    case 'validation_failed':
      return { fields: messagesByPath(problem.fields) };
    case 'pack_being_deleted':
      return { pack_id: problem.packId };
    case 'not_found':
    case 'name_taken':
    case 'pack_not_editable':
    case 'not_archived':
      return null;
  }
}

/** A path of which there is more to say has all of it in one text. */
const messagesByPath = (problems: readonly FieldProblem[]): Record<string, string> =>
  Object.fromEntries(
    [...Map.groupBy(problems, ({ path }) => path)].map(([path, ofPath]) => [
      path,
      [...new Set(ofPath.map(({ message }) => message))].join('; '),
    ]),
  );

function failureDetails({
  reason,
  retryable,
  retryAfterSeconds,
}: {
  readonly reason: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
}): Record<string, unknown> {
  return {
    // Lower case, as every enum in REST.
    reason: reason.toLowerCase(),
    retryable,
    ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
  };
}
