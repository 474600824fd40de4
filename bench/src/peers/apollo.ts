/** @apollo/server as its documentation has it: standalone server, context per request, DataLoader against N+1. */
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import DataLoader from 'dataloader';
import { GraphQLError } from 'graphql';
import { authenticate, type Caller } from './caller.ts';
import { type Deletion, deletePack } from './delete-pack.ts';
import { openPool, port } from './pool.ts';
import {
  findPack,
  listPacks,
  type PackAnswer,
  type RoleAnswer,
  rolesOfPacks,
} from './read-packs.ts';
import { typeDefs } from './type-defs.ts';

interface Context {
  readonly caller: Caller;
  readonly roles: DataLoader<{ id: string; first: number }, RoleAnswer[], string>;
}

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
    return { caller, roles: roleLoader(caller) };
  },
});

function roleLoader(caller: Caller): Context['roles'] {
  return new DataLoader(
    async (keys) => {
      const first = Math.max(...keys.map((key) => key.first));
      const ids = keys.map(({ id }) => id);
      const lists = await rolesOfPacks(pool, caller, ids, first);
      return lists.map((roles, index) => roles.slice(0, keys[index]?.first));
    },
    { cacheKeyFn: ({ id, first }) => `${id} ${first}` },
  );
}
