/** GraphQL Yoga as its documentation has it: its own server, context per request, DataLoader against N+1. */
import { createServer } from 'node:http';
import { GraphQLError } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { authenticate } from './caller.ts';
import { type Deletion, deletePack } from './delete-pack.ts';
import { openPool, port } from './pool.ts';
import { findPack, listPacks, type PackAnswer } from './read-packs.ts';
import { type Context, roleLoader } from './role-loader.ts';
import { typeDefs } from './type-defs.ts';

const pool = openPool();

const yoga = createYoga<object, Context>({
  logging: false,
  schema: createSchema<Context>({
    typeDefs,
    resolvers: {
      Query: {
        pack: (_root, { id }: { id: string }, { caller }: Context) => findPack(pool, caller, id),
        packs: async (_root, { first }: { first: number }, { caller }: Context) => ({
          nodes: await listPacks(pool, caller, first),
        }),
      },
      Mutation: {
        deletePack: (_root, { id }: { id: string }, { caller }: Context) => {
          if (caller.mayWrite) return deletePack(pool, caller, id);
          throw new GraphQLError('not allowed', { extensions: { code: 'PERMISSION_DENIED' } });
        },
      },
      Pack: {
        roles: async ({ id }: PackAnswer, { first }: { first: number }, { roles }: Context) => ({
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
  }),
  context: async ({ request }) => {
    const caller = await authenticate(pool, request.headers.get('authorization') ?? undefined);
    if (caller === null) {
      throw new GraphQLError('unauthenticated', {
        extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
      });
    }
    return { caller, roles: roleLoader(pool, caller) };
  },
});

createServer(yoga).listen(port, '127.0.0.1');
