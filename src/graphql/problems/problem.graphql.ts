/** GraphQL's half of the catalogue of problems (`outcomes.ts`): one type for each kind, all of them an `Error`. */
import { errorCodes, graphqlCode, type Problem, problemRow, problems } from '../../outcomes.ts';
import type { RefusalCode } from '../../request-refused.ts';
import { builder } from '../builder.ts';
import { countedText } from '../limits/price.ts';

const refusalDescriptions: Record<RefusalCode, string> = {
  unauthenticated: 'No key or session, or one that is not valid (any more). Send another.',
  permission_denied: 'The caller lacks a scope; `requiredScopes` names it. Use another key.',
  bad_request: 'The request is malformed, as the message says.',
  route_not_found: 'There is nothing at this path.',
  method_not_allowed: 'This HTTP method is not accepted here: send mutations by POST.',
  not_acceptable: 'The answer exists in none of the media types that the client accepts.',
  precondition_failed:
    'What was to be changed has changed meanwhile (REST: If-Match). Read it again.',
  payload_too_large: 'The body or file is too large.',
  unsupported_media_type: 'The body is of a media type that is not understood here.',
  rate_limited: 'Too many requests. Wait, then try again.',
  graphql_parse_failed: 'The document is not GraphQL.',
  graphql_validation_failed: 'The document, or a variable, does not fit the schema.',
  graphql_limit_exceeded:
    'The operation asks for too much; the message says of what. Ask for less.',
  document_not_trusted: 'Only documents on the list of the server are run (TRUSTED_DOCUMENTS).',
  persisted_query_not_supported: 'Queries are not stored under a hash. Send the query itself.',
  persisted_query_not_found:
    'The hash is not on the list of this server, and nothing else is run (TRUSTED_DOCUMENTS).',
  internal_error: 'A fault of this service. Quote the requestId to its operator.',
  service_unavailable: 'Something that this service needs is down. Try again later.',
};

const ErrorCode = builder.enumType('ErrorCode', {
  description:
    'Every code there is, in `errors[].extensions.code` as well. REST writes the same ones in lower case.',
  values: Object.fromEntries(
    errorCodes.map((code) => [graphqlCode(code), { description: codeDescription(code) }]),
  ),
});

function codeDescription(code: string): string {
  const row = Object.values(problems).find(({ codes }) => codes.some((known) => known === code));
  // A code that no problem carries is one of the refusals (`errorCodes`).
  return row === undefined
    ? refusalDescriptions[code as RefusalCode]
    : `Carried by ${row.graphqlType}.`;
}

export const ErrorInterface = builder.interfaceRef<Problem>('Error');
ErrorInterface.implement({
  description:
    'An expected problem. New problems may be added to a union: handle this interface as the default branch.',
  resolveType: (problem) => problems[problem.kind].graphqlType,
  fields: (t) => ({
    code: t.field({
      type: ErrorCode,
      description: 'What went wrong, for programs.',
      resolve: (problem) => graphqlCode(problemRow(problem).code(problem)),
    }),
    message: t.string({
      ...countedText(),
      description: 'What went wrong and what to do about it, for people.',
      resolve: (problem) => problemRow(problem).message(problem),
    }),
    requestId: t.id({
      description: 'Names this request in our logs (header x-request-id).',
      resolve: (_problem, _args, { record }) => record.requestId,
    }),
    details: t.field({
      type: 'JSON',
      ...countedText(),
      nullable: true,
      description: 'The same details as the REST twin gives, where a problem has any.',
      resolve: (problem, _args, { loaders }) => loaders.problemDetails.load(problem),
    }),
  }),
});
