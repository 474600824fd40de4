/** A neighbour in the supergraph: a service of another team, which extends our entities and has types named like ours. */
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { onTestFinished } from 'vitest';

/** What README tells neighbours to write. */
export const neighbourSdl = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@shareable"])

  scalar JSON
  interface Node { id: ID! }
  interface Error { code: ErrorCode! message: String! requestId: ID! details: JSON }
  enum ErrorCode { RUN_NOT_FOUND AGENT_ROLE_NOT_FOUND }
  type NotFound implements Error @shareable {
    code: ErrorCode! message: String! requestId: ID! details: JSON
  }
  type PageInfo @shareable {
    hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String
  }
  type AgentRoleEdge @shareable { node: AgentRole! cursor: String! }
  type AgentRoleConnection @shareable {
    pageInfo: PageInfo! edges: [AgentRoleEdge!]! nodes: [AgentRole!]! totalCount: Int!
  }

  type AgentRole @key(fields: "id") { id: ID! runs: RunConnection! }
  type Pack @key(fields: "id") { id: ID! runCount: Int! "Fails, always." cost: Int }
  type Run implements Node @key(fields: "id") { id: ID! role: AgentRole pack: Pack }
  type RunConnection { nodes: [Run!]! pageInfo: PageInfo! }

  union StopRunResult = StoppedRun | NotFound
  type StoppedRun { run: Run! }
  type Query {
    busyRoles(ids: [ID!]!): AgentRoleConnection!
    runs(packIds: [ID!]!): [Run!]!
  }
  type Mutation { stopRun(id: ID!): StopRunResult! }
`;

export interface Neighbour {
  readonly url: string;
  /** The authorization header of each request, in order. */
  readonly authorizations: (string | null)[];
}

const pageInfo = {
  hasNextPage: false,
  hasPreviousPage: false,
  startCursor: null,
  endCursor: null,
};

const resolvers = {
  Query: {
    busyRoles: (_root: unknown, { ids }: { ids: string[] }) => ({
      pageInfo,
      edges: ids.map((id) => ({ node: { id }, cursor: id })),
      nodes: ids.map((id) => ({ id })),
      totalCount: ids.length,
    }),
    runs: (_root: unknown, { packIds }: { packIds: string[] }) =>
      packIds.map((id) => ({ id: `run_of_${id}`, pack: { id } })),
  },
  Mutation: {
    stopRun: (_root: unknown, { id }: { id: string }) => ({
      __typename: 'NotFound',
      code: 'RUN_NOT_FOUND',
      message: `There is no run ${id}.`,
      requestId: 'request-of-the-neighbour',
    }),
  },
  AgentRole: { runs: ({ id }: { id: string }) => ({ nodes: [{ id: `run_of_${id}` }], pageInfo }) },
  Pack: {
    runCount: () => 3,
    cost: () => {
      throw new GraphQLError('Nobody may see costs.', { extensions: { code: 'COSTS_HIDDEN' } });
    },
  },
};

/** Listens on a port of its own until the test finishes. */
export async function startNeighbour(): Promise<Neighbour> {
  const authorizations: (string | null)[] = [];
  const yoga = createYoga({
    schema: buildSubgraphSchema({ typeDefs: parse(neighbourSdl), resolvers }),
    plugins: [
      {
        onRequest: ({ request }: { request: Request }) => {
          authorizations.push(request.headers.get('authorization'));
        },
      },
    ],
    logging: false,
  });
  const server = createServer(yoga);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}/graphql`, authorizations };
}
