/** @apollo/server as its documentation has it: standalone server, context per request, DataLoader against N+1. */
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { GraphQLError } from 'graphql';
import { authenticate } from './caller.ts';
import { type Deletion, deletePack } from './delete-pack.ts';
import { openPool, port } from './pool.ts';
import { findPack, listPacks, type PackAnswer } from './read-packs.ts';
import { type Context, roleLoader } from './role-loader.ts';
import { typeDefs } from './type-defs.ts';

const pool = openPool();

const server = new ApolloServer<Context>({
  typeDefs,
  resolvers: {
    Query: {
      pack: (_root, { id }: { id: string }, { caller }) => findPack(pool, caller, id),
      packs: async (_root, { first }: { first: number }, { caller }) => ({
        nodes: await listPacks(pool, caller, first),
      }),
    },
    Mutation: {
      deletePack: (_root, { id }: { id: string }, { caller }) => {
        if (caller.mayWrite) return deletePack(pool, caller, id);
        throw new GraphQLError('not allowed', { extensions: { code: 'PERMISSION_DENIED' } });
      },
    },
    Pack: {
      roles: async ({ id }: PackAnswer, { first }: { first: number }, { roles }) => ({
        nodes: await roles.load({ id, first }),
      }),
    },
    PackInUse: {
      roles: (
        { blockers }: Extract<Deletion, { __typename: 'PackInUse' }>,
        { first }: { first: number },
      ) => ({ nodes: blockers.slice(0, first) }),
    },
  },
});

await startStandaloneServer(server, {
  listen: { port, host: '127.0.0.1' },
  context: async ({ req }) => {
    const caller = await authenticate(pool, req.headers.authorization);
    if (caller === null) {
      throw new GraphQLError('unauthenticated', {
        extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
      });
    }
    return { caller, roles: roleLoader(pool, caller) };
  },
});
