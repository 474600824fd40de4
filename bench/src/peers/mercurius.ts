/** Mercurius as its documentation has it: fastify, JIT where JIT is set, loaders against N+1, context per request. */
import fastify from 'fastify';
import { type MercuriusContext, mercurius } from 'mercurius';
import { authenticate, type Caller } from './caller.ts';
import { type Deletion, deletePack } from './delete-pack.ts';
import { openPool, port } from './pool.ts';
import { findPack, listPacks, type PackAnswer, rolesOfPacks } from './read-packs.ts';
import { typeDefs } from './type-defs.ts';

declare module 'mercurius' {
  interface MercuriusContext {
    readonly caller: Caller;
  }
}

const pool = openPool();
const app = fastify();

await app.register(mercurius, {
  schema: typeDefs,
  jit: Number(process.env.JIT ?? 0),
  context: async (request): Promise<{ caller: Caller }> => {
    const caller = await authenticate(pool, request.headers.authorization);
    if (caller !== null) return { caller };
    throw new mercurius.ErrorWithProps('unauthenticated', { code: 'UNAUTHENTICATED' }, 401);
  },
  resolvers: {
    Query: {
      pack: (_root: unknown, { id }: { id: string }, { caller }: MercuriusContext) =>
        findPack(pool, caller, id),
      packs: async (
        _root: unknown,
        { first }: { first: number },
        { caller }: MercuriusContext,
      ) => ({
        nodes: await listPacks(pool, caller, first),
      }),
    },
    Mutation: {
      deletePack: (_root: unknown, { id }: { id: string }, { caller }: MercuriusContext) => {
        if (caller.mayWrite) return deletePack(pool, caller, id);
        throw new mercurius.ErrorWithProps('not allowed', { code: 'PERMISSION_DENIED' });
      },
    },
    DeletePackResult: { resolveType: ({ __typename }: Deletion) => __typename },
    PackInUse: {
      roles: (
        { blockers }: Extract<Deletion, { __typename: 'PackInUse' }>,
        { first }: { first: number },
      ) => ({ nodes: blockers.slice(0, first) }),
    },
  },
  loaders: {
    Pack: {
      async roles(
        queries: readonly { obj: PackAnswer; params: { first: number } }[],
        { caller }: MercuriusContext,
      ) {
        const first = Math.max(...queries.map(({ params }) => params.first));
        const ids = queries.map(({ obj }) => obj.id);
        const lists = await rolesOfPacks(pool, caller, ids, first);
        return lists.map((roles, index) => ({
          nodes: roles.slice(0, queries[index]?.params.first),
        }));
      },
    },
  },
});
await app.listen({ port, host: '127.0.0.1' });
