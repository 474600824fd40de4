import type { ExecutionResult, GraphQLError } from 'graphql';

/** A result as a client sees it: what an error asks of HTTP (`extensions.http`) is not for its eyes. */
export const resultShown = ({ errors, ...result }: ExecutionResult): object =>
  errors === undefined ? result : { ...result, errors: errors.map(withoutHttp) };

function withoutHttp(error: GraphQLError) {
  const { extensions, ...rest } = error.toJSON();
  const { http: _http, ...shown } = extensions ?? {};
  return { ...rest, extensions: shown };
}
