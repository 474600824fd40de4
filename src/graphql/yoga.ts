import { getCORSHeadersByRequestAndOptions } from '@whatwg-node/server';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Foundation } from '../http/foundation.ts';
import { useAuthentication } from './authentication.ts';
import { type Context, contextOf } from './context.ts';
import { corsFor } from './cors.ts';
import { Documents } from './documents.ts';
import { useErrorCodes } from './errors.ts';
import { useGraphiQL, useNoGraphiQL } from './graphiql.ts';
import { useHiddenSchema } from './hidden-schema.ts';
import { createLimits } from './limits/use-limits.ts';
import { useMultipart } from './multipart.ts';
import { useNegotiation } from './negotiation.ts';
import { useOperationName } from './operation-name.ts';
import { type AnswerPlainOperation, createPlainAnswers } from './plain-operation.ts';
import { RepeatedOperations } from './repeated-operations.ts';
import { schema } from './schema.ts';
import type { ServerContext } from './server-context.ts';
import { createTrustedDocuments, DOCUMENT_ID } from './trusted-documents.ts';

export interface GraphQLHandler {
  readonly yoga: YogaServerInstance<ServerContext, Context>;
  readonly answerPlainOperation: AnswerPlainOperation;
  /** What lets a browser show an answer to its page, for answers that Yoga did not make. */
  corsHeaders(request: Request): Record<string, string>;
}

/** The GraphQL endpoint; its plugins run in the order of the list. */
export function createGraphQL(foundation: Foundation): GraphQLHandler {
  const { authenticate, world } = foundation;
  const { config, log } = world;
  const limits = createLimits();
  const documents = new Documents();
  const repeated = new RepeatedOperations(documents);
  const trusted =
    config.trustedDocuments === null ? null : createTrustedDocuments(config.trustedDocuments);
  const cors = corsFor(config.corsOrigins);
  const yoga = createYoga<ServerContext, Context>({
    schema,
    context: ({ record, request }) => {
      const { caller } = record;
      if (caller === null) throw new Error('a request got past authentication without a caller');
      return contextOf(foundation, caller, record, request.headers.get('authorization'));
    },
    plugins: [
      config.graphiql ? useGraphiQL() : useNoGraphiQL(),
      useAuthentication(authenticate),
      useMultipart(config.maxArchiveBytes),
      limits.plugin,
      trusted === null ? {} : trusted.plugin,
      useOperationName(),
      repeated.plugin,
      useNegotiation(),
      !config.introspection && useHiddenSchema(),
      useErrorCodes(log),
    ],
    cors,
    parserAndValidationCache: documents.cache,
    // `useGraphiQL` serves it, without rendering 9 MB for each visitor.
    graphiql: false,
    landingPage: false,
    multipart: false,
    extraParamNames: trusted === null ? [] : [DOCUMENT_ID],
    // The HTTP layer reads bodies itself, and never more than it allows.
    maxRequestBodySize: false,
    // `useErrorCodes` masks, with codes.
    maskedErrors: false,
    logging: false,
  });
  return {
    yoga,
    corsHeaders: (request) => getCORSHeadersByRequestAndOptions(request, cors(request)) ?? {},
    answerPlainOperation: createPlainAnswers(foundation, { limits, trusted, repeated }),
  };
}
