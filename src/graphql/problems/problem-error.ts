import { GraphQLError } from 'graphql';
import type { Caller } from '../../identity/caller.ts';
import { graphqlCode, type Problem, problemRow } from '../../outcomes.ts';
import { problemDetails } from '../../problem-details.ts';
import type { World } from '../../world.ts';

/** A problem where a field has no union to answer with: the field is null, and `errors` says why. */
export async function problemError(
  world: World,
  caller: Caller,
  problem: Problem,
): Promise<GraphQLError> {
  const { code, message } = problemRow(problem);
  const details = await problemDetails(world, caller, problem);
  return new GraphQLError(message(problem), {
    extensions: { code: graphqlCode(code(problem)), ...(details !== null && { details }) },
  });
}
