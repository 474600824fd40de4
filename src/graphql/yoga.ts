import { createYoga } from 'graphql-yoga';
import type { Foundation } from '../http/foundation.ts';
import { AllowedOrigins } from '../http/origins.ts';
import { useAnswers } from './answers.ts';
import { useAuthentication } from './authentication.ts';
import { useBodiesInTurn } from './bodies-in-turn.ts';
import { useChosenOperation } from './chosen-operation.ts';
import { type Context, contextOf } from './context.ts';
import { corsFor } from './cors.ts';
import { Documents } from './documents.ts';
import { useErrorCodes } from './errors.ts';
import { createExecutor, useExecutor } from './execution/execute.ts';
import { useGraphiQL, useNoGraphiQL } from './graphiql.ts';
import { useHiddenSchema } from './hidden-schema.ts';
import { createLimits } from './limits/use-limits.ts';
import { useMultipart } from './multipart.ts';
import { useMethods, useNegotiation } from './negotiation.ts';
import { useOperationName } from './operation-name.ts';
import { useRequestParams } from './request-params.ts';
import { schema } from './schema.ts';
import type { ServerContext } from './server-context.ts';
import { ShortWay } from './short-way.ts';
import { useStreams } from './streams/use-streams.ts';
import { useWholeRoots } from './streams/whole-root.ts';
import {
  textFinder,
  trustedDocuments,
  useNoPersistedQueries,
  useTrustedDocuments,
} from './trusted-documents.ts';

export interface GraphQLHandler {
  /** Answers a request for the endpoint. */
  answer(request: Request, context: ServerContext): Promise<Response>;
  close(): Promise<void>;
}

/** The GraphQL endpoint; its plugins run in the order of the list. */
export function createGraphQL(foundation: Foundation): GraphQLHandler {
  const { config, log } = foundation.world;
  const documents = new Documents();
  const limits = createLimits(foundation.answers);
  const execute = createExecutor();
  const trusted = config.trustedDocuments && trustedDocuments(config.trustedDocuments);
  const textOf = textFinder(trusted);
  const shortWay = new ShortWay({ foundation, documents, limits, execute, textOf });
  const yoga = createYoga<ServerContext, Context>({
    schema,
    context: ({ record, request }) => {
      const { caller } = record;
      if (caller === null) throw new Error('a request got past authentication without a caller');
      return contextOf(foundation, caller, record, request.headers.get('authorization'));
    },
    plugins: [
      config.graphiql ? useGraphiQL() : useNoGraphiQL(),
      useMethods(),
      useAuthentication(foundation),
      useBodiesInTurn(foundation.bodies),
      useRequestParams(),
      trusted === null ? useNoPersistedQueries() : useTrustedDocuments(trusted),
      limits.plugin,
      useChosenOperation(),
      useWholeRoots(),
      useMultipart(config.maxArchiveBytes, foundation.uploads),
      useExecutor(execute),
      shortWay.plugin,
      useOperationName(),
      useNegotiation(),
      !config.introspection && useHiddenSchema(),
      useErrorCodes(log),
      useAnswers(),
      useStreams(),
    ],
    cors: corsFor(new AllowedOrigins(config.corsOrigins)),
    parserAndValidationCache: documents.cache,
    // `useGraphiQL` serves it, without rendering 9 MB for each visitor.
    graphiql: false,
    landingPage: false,
    multipart: false,
    extraParamNames: ['documentId'],
    // `useRequestParams` reads bodies, and never more than it may.
    maxRequestBodySize: false,
    // `useErrorCodes` masks, with codes.
    maskedErrors: false,
    logging: false,
  });
  return {
    answer: async (request, context) =>
      // Not `yoga.fetch`, which would stop waiting for its work when the client hangs up.
      (await shortWay.answer(request, context)) ?? yoga.handleRequest(request, context),
    close: async () => yoga.dispose(),
  };
}
