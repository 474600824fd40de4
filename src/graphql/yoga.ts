import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import { authenticate } from '../identity/authenticate.ts';
import type { Services } from '../services.ts';
import { useAuthentication } from './authentication.ts';
import { useCompilation } from './compile.ts';
import type { Context } from './context.ts';
import { corsFor } from './cors.ts';
import { useErrorCodes } from './errors.ts';
import { useGraphiQL, useNoGraphiQL } from './graphiql.ts';
import { useHiddenSchema } from './hidden-schema.ts';
import { useLimits } from './limits/use-limits.ts';
import { createLoaders } from './loaders.ts';
import { useMultipart } from './multipart.ts';
import { useOperationName } from './operation-name.ts';
import { schema } from './schema.ts';
import type { ServerContext } from './server-context.ts';
import { DOCUMENT_ID, useTrustedDocuments } from './trusted-documents.ts';

export type GraphQLHandler = YogaServerInstance<ServerContext, Context>;

/** The GraphQL endpoint; its plugins run in the order of the list. */
export function createGraphQL(services: Services): GraphQLHandler {
  const { config, log } = services;
  return createYoga<ServerContext, Context>({
    schema,
    context: ({ record, request }) => {
      const { caller } = record;
      if (caller === null) throw new Error('a request got past authentication without a caller');
      return {
        services,
        caller,
        record,
        loaders: createLoaders(services, caller),
        isStillCaller: async () => {
          const authorization = request.headers.get('authorization');
          return (await authenticate(services, authorization, record.requestId)) !== null;
        },
      };
    },
    plugins: [
      config.graphiql ? useGraphiQL() : useNoGraphiQL(),
      useAuthentication(services),
      useMultipart(config.maxArchiveBytes),
      useLimits(),
      config.trustedDocuments !== null && useTrustedDocuments(config.trustedDocuments),
      useOperationName(),
      useCompilation(),
      !config.introspection && useHiddenSchema(),
      useErrorCodes(log),
    ],
    cors: corsFor(config.corsOrigins),
    // `useGraphiQL` serves it, without rendering 9 MB for each visitor.
    graphiql: false,
    landingPage: false,
    multipart: false,
    extraParamNames: config.trustedDocuments === null ? [] : [DOCUMENT_ID],
    // The HTTP layer reads bodies itself, and never more than it allows.
    maxRequestBodySize: false,
    // `useErrorCodes` masks, with codes.
    maskedErrors: false,
    logging: false,
  });
}
