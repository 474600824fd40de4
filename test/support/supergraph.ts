/** A supergraph of this gateway and a neighbour, behind either kind of router; the subgraphs are asked over HTTP. */
import { composeServices as composeByApollo } from '@apollo/composition';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import http from '@graphql-mesh/transport-http';
import { composeServices as composeByTheGuild } from '@theguild/federation-composition';
import { federateSubgraphs } from '@wundergraph/composition';
import { type DocumentNode, getOperationAST, parse, print } from 'graphql';
import { onTestFinished } from 'vitest';
import { scopesOfKeys } from '../../examples/hive-gateway/scopes-of-keys.ts';
import { printSchema } from '../../src/graphql/schema.ts';
import type { Json } from './gateway.ts';
import { neighbourSdl } from './neighbour.ts';
import { withoutScopes } from './without-scopes.ts';

/** A service that takes part, as every composer is told of it. */
interface Part {
  readonly name: string;
  readonly url: string;
  readonly typeDefs: DocumentNode;
}

type Composer = (parts: Part[]) => {
  readonly supergraphSdl?: string | undefined;
  readonly errors?: readonly unknown[] | undefined;
};

const compositions = {
  apollo: composeByApollo,
  'The Guild': composeByTheGuild,
  WunderGraph: composeByWunderGraph,
} satisfies Record<string, Composer>;
export type Composition = keyof typeof compositions;
export const composers: readonly Composition[] = ['apollo', 'The Guild', 'WunderGraph'];

/** Those whose supergraph the routers here read; WunderGraph's is for its own router, which is no package of npm. */
export const joinComposers: readonly Composition[] = ['apollo', 'The Guild'];

function composeByWunderGraph(parts: Part[]): ReturnType<Composer> {
  const subgraphs = parts.map(({ name, url, typeDefs }) => ({ name, url, definitions: typeDefs }));
  const result = federateSubgraphs({ subgraphs });
  return result.success
    ? { supergraphSdl: print(result.federatedGraphAST) }
    : { errors: result.errors };
}

/**
 * Composes this gateway with a neighbour.
 * @throws where they do not compose, with every reason
 */
export function compose(composition: Composition, neighbour = neighbourSdl): string {
  const composer: Composer = compositions[composition];
  const { supergraphSdl, errors } = composer([
    { name: 'packs', url: 'http://packs', typeDefs: parse(printSchema()) },
    { name: 'runs', url: 'http://runs', typeDefs: parse(neighbour) },
  ]);
  if (supergraphSdl === undefined) throw new Error(errors?.map(String).join('\n'));
  return supergraphSdl;
}

const composed = new Map<Composition, string>();

/** The same with the addresses where both are; to compose takes as long as a test does, and is done once. */
export function supergraphOf(
  composition: Composition,
  urls: { readonly packs: string; readonly runs: string },
): string {
  const supergraph = composed.get(composition) ?? compose(composition);
  composed.set(composition, supergraph);
  return supergraph
    .replace('"http://packs"', `"${urls.packs}"`)
    .replace('"http://runs"', `"${urls.runs}"`);
}

/** Runs an operation at the router and answers its JSON. */
export type Ask = (query: string, variables: object, authorization: string) => Promise<Json>;

const routers = { '@apollo/gateway': apolloGateway, 'Hive gateway': startHive };
export type RouterKind = keyof typeof routers;
export const routerKinds: readonly RouterKind[] = ['@apollo/gateway', 'Hive gateway'];

/** Starts a router, which ends with the test. */
export const startRouter = (kind: RouterKind, supergraphSdl: string): Promise<Ask> =>
  routers[kind](supergraphSdl);

async function apolloGateway(supergraphSdl: string): Promise<Ask> {
  // It would tell its makers of each start, and look for the cloud that it runs in.
  process.env.APOLLO_TELEMETRY_DISABLED = 'true';
  const gateway = new ApolloGateway({
    // It knows no scopes and refuses a supergraph that speaks of them; the subgraph refuses by itself.
    supergraphSdl: withoutScopes(supergraphSdl),
    buildService: ({ url = '' }) =>
      new RemoteGraphQLDataSource<{ authorization?: string }>({
        url,
        willSendRequest({ request, context }) {
          // At start it asks for nothing in anybody's name.
          if (context.authorization === undefined) return;
          request.http?.headers.set('authorization', context.authorization);
        },
      }),
  });
  const { executor, schema } = await gateway.load();
  onTestFinished(() => gateway.stop());
  return async (query, variables, authorization) => {
    const document = parse(query);
    const request = { query, variables };
    const operation = getOperationAST(document);
    const context = { request, document, operation, schema, queryHash: query, operationName: null };
    // What is left out is Apollo Server's: caches, metrics and its logger, which no plan here reads.
    const result = await executor({
      ...context,
      source: query,
      context: { authorization },
      metrics: {},
      overallCachePolicy: {},
    } as unknown as Parameters<typeof executor>[0]);
    // As it would go over the wire.
    return JSON.parse(JSON.stringify(result));
  };
}

/** The Hive gateway that asks the service at `packs` what a caller may do: it refuses before it asks anybody else. */
export const startScopedRouter = (supergraphSdl: string, packs: string): Promise<Ask> =>
  startHive(supergraphSdl, { genericAuth: scopesOfKeys(packs) });

async function startHive(
  supergraphSdl: string,
  { genericAuth }: Pick<Parameters<typeof createGatewayRuntime>[0], 'genericAuth'> = {},
): Promise<Ask> {
  const gateway = createGatewayRuntime({
    supergraph: supergraphSdl,
    ...(genericAuth === undefined ? {} : { genericAuth }),
    transports: { http },
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) => ({
        authorization: request.headers.get('authorization'),
      }),
    },
    logging: false,
  });
  onTestFinished(async () => gateway[Symbol.asyncDispose]());
  return async (query, variables, authorization) => {
    const response = await gateway.fetch('http://router/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query, variables }),
    });
    return response.json();
  };
}
