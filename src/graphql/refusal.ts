import { GraphQLError } from 'graphql';
import { graphqlCode } from '../outcomes.ts';
import type { RefusalCode } from '../request-refused.ts';

/** An entry of `errors` that a caller may read: what is no outcome of the business. */
export function refusal(
  code: RefusalCode,
  message: string,
  extensions: Record<string, unknown> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { code: graphqlCode(code), ...extensions } });
}
