import { describe, expect, onTestFinished, test } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { listening } from '../support/listening.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import {
  joinComposers,
  type RouterKind,
  routerKinds,
  startRouter,
  startScopedRouter,
  supergraphOf,
} from '../support/supergraph.ts';

const DELETE = deletePackDocument(`... on DeletedPack { deletedPackId name image }
  ... on Error { code message requestId }
  ... on PackInUse { pack { id runCount } roles { totalCount nodes { name runs { nodes { id } } } } }
  ... on RegistryCleanupFailed { reason }`);
const ROLE = `mutation ($name: String!, $packIds: [ID!]!) {
  createAgentRole(input: { name: $name, packIds: $packIds }) { ... on CreatedAgentRole { role { id } } }
}`;

async function startSupergraph(
  kind: RouterKind,
  by: (typeof joinComposers)[number] = 'apollo',
  environment: Record<string, string> = {},
) {
  const gateway = await startGateway({ database: 'postgres', environment });
  const neighbour = await startNeighbour();
  const packs = `${await listening(gateway)}/graphql`;
  const ask = await startRouter(kind, supergraphOf(by, { packs, runs: neighbour.url }));
  const as =
    (key: string) =>
    (query: string, variables: object = {}) =>
      ask(query, variables, `Bearer ${key}`);
  return { gateway, neighbour, as, ask: as(OWNER_KEY) };
}

describe.each(routerKinds)('through %s', (kind) => {
  test.each(joinComposers)(
    'packs and roles are joined with the neighbour, composed by %s',
    async (by) => {
      const { gateway, neighbour, ask } = await startSupergraph(kind, by);
      const pack = await gateway.pack('triage');
      const created = await ask(ROLE, { name: 'on-call', packIds: [pack.id] });
      const { id } = created.data.createAgentRole.role;
      const answer = await ask(
        `query ($id: ID!, $ids: [ID!]!) {
        agentRole(id: $id) { name runs { nodes { id } } packs { nodes { name runCount } } }
        busyRoles(ids: $ids) { totalCount nodes { name environment } pageInfo { hasNextPage } }
      }`,
        { id, ids: [id] },
      );
      expect(answer).toEqual({
        data: {
          agentRole: {
            name: 'on-call',
            runs: { nodes: [{ id: `run_of_${id}` }] },
            packs: { nodes: [{ name: 'triage', runCount: 3 }] },
          },
          busyRoles: {
            totalCount: 1,
            nodes: [{ name: 'on-call', environment: 'DEVELOPMENT' }],
            pageInfo: { hasNextPage: false },
          },
        },
      });
      expect(new Set(neighbour.authorizations)).toEqual(new Set([`Bearer ${OWNER_KEY}`]));
    },
  );

  test('deletePack answers every member of its union', async () => {
    const { gateway, ask } = await startSupergraph(kind);
    const { id } = await gateway.pack('triage');
    const role = await ask(ROLE, { name: 'on-call', packIds: [id] });
    const roleId = role.data.createAgentRole.role.id;
    expect((await ask(DELETE, { id })).data.deletePack).toMatchObject({
      __typename: 'PackInUse',
      code: 'PACK_IN_USE',
      requestId: expect.stringMatching(/./),
      pack: { id, runCount: 3 },
      roles: {
        totalCount: 1,
        nodes: [{ name: 'on-call', runs: { nodes: [{ id: `run_of_${roleId}` }] } }],
      },
    });
    await ask(
      'mutation ($roleId: ID!, $packId: ID!) { detachPack(roleId: $roleId, packId: $packId) { __typename } }',
      { roleId, packId: id },
    );
    expect((await ask(DELETE, { id })).data.deletePack).toEqual({
      __typename: 'DeletedPack',
      deletedPackId: id,
      name: 'triage',
      image: 'PURGED',
    });
    expect((await ask(DELETE, { id })).data.deletePack).toMatchObject({
      __typename: 'NotFound',
      code: 'PACK_NOT_FOUND',
    });
  });

  test.skipIf(!installed('docker-registry'))(
    'deletePack answers RegistryCleanupFailed where the registry refuses deletions',
    async () => {
      const registry = await startDockerRegistry({ deletes: false });
      onTestFinished(() => registry.stop());
      const environment = { REGISTRY_URL: registry.url.origin };
      const { gateway, ask } = await startSupergraph(kind, 'apollo', environment);
      const { id } = await gateway.pack('triage');
      expect((await ask(DELETE, { id })).data.deletePack).toMatchObject({
        __typename: 'RegistryCleanupFailed',
        code: 'REGISTRY_CLEANUP_FAILED',
        reason: 'DELETE_UNSUPPORTED',
      });
    },
  );

  test('a problem of the neighbour is a member of its own union', async () => {
    const { ask } = await startSupergraph(kind);
    const answer = await ask(
      'mutation { stopRun(id: "run_1") { __typename ... on Error { code message } } }',
    );
    expect(answer.data.stopRun).toMatchObject({ __typename: 'NotFound', code: 'RUN_NOT_FOUND' });
  });

  test('packs of another org that the neighbour points at are null, the rest is kept', async () => {
    const { gateway, ask } = await startSupergraph(kind);
    const other = await gateway.org('other');
    const own = await gateway.pack('own');
    const theirs = await gateway.upload(samplePack({ name: 'theirs' }), { key: other });
    const answer = await ask('query ($ids: [ID!]!) { runs(packIds: $ids) { id pack { name } } }', {
      ids: [own.id, theirs.pack.id],
    });
    expect(answer.data.runs).toEqual([
      { id: `run_of_${own.id}`, pack: { name: 'own' } },
      { id: `run_of_${theirs.pack.id}`, pack: null },
    ]);
  });

  test("an error in the neighbour's part keeps ours", async () => {
    const { gateway, ask } = await startSupergraph(kind);
    const { id } = await gateway.pack('triage');
    const answer = await ask('query ($id: ID!) { pack(id: $id) { name runCount cost } }', { id });
    expect(answer.data.pack).toEqual({ name: 'triage', runCount: 3, cost: null });
    expect(answer.errors[0].extensions.code).toBe('COSTS_HIDDEN');
  });

  test('a caller without the scope gets PERMISSION_DENIED for that field', async () => {
    const { gateway, as } = await startSupergraph(kind);
    const { id } = await gateway.pack('triage');
    const reader = as(await gateway.key('READ_ONLY'));
    const answer = await reader(DELETE, { id });
    expect(answer.data?.deletePack ?? null).toBeNull();
    expect(answer.errors[0].extensions).toMatchObject({
      code: 'PERMISSION_DENIED',
      requiredScopes: ['caps:write'],
      requestId: expect.stringMatching(/./),
    });
    expect((await reader('query ($id: ID!) { pack(id: $id) { name } }', { id })).data.pack).toEqual(
      {
        name: 'triage',
      },
    );
  });

  test('a limit of ours reaches the client with its code and its number', async () => {
    const { ask } = await startSupergraph(kind);
    const aliased = Array.from({ length: 51 }, (_, at) => `a${at}: viewer { userId }`).join(' ');
    const { errors } = await ask(`{ ${aliased} }`);
    const [{ extensions }] = errors;
    // Apollo's gateway has its own word for any 400, and puts the answer that it got beside it.
    const told = extensions.response?.body.errors[0].extensions ?? extensions;
    expect(told).toMatchObject({
      code: 'GRAPHQL_LIMIT_EXCEEDED',
      limit: 'aliases',
      maximum: 50,
      actual: 51,
      requestId: expect.stringMatching(/./),
    });
  });

  test('without a valid key nothing is answered, and the router says why', async () => {
    const { as } = await startSupergraph(kind);
    const answer = await as('sk_unknown')('{ packs { totalCount } }');
    expect(answer.data?.packs ?? null).toBeNull();
    expect(JSON.stringify(answer.errors)).toContain('UNAUTHENTICATED');
  });
});

describe('through a router that asks for the scopes of API keys', () => {
  async function start() {
    const gateway = await startGateway({ database: 'postgres' });
    const neighbour = await startNeighbour();
    const packs = `${await listening(gateway)}/graphql`;
    const ask = await startScopedRouter(
      supergraphOf('apollo', { packs, runs: neighbour.url }),
      packs,
    );
    /** Answers what the router says, and how many requests that took here. */
    const asked = async (query: string, variables: object, key: string) => {
      const { length: before } = gateway.logs;
      const answer = await ask(query, variables, `Bearer ${key}`);
      const requests = gateway.logs.slice(before).filter(({ route }) => route === 'graphql');
      return { ...answer, requests: requests.length };
    };
    return { gateway, asked };
  }

  test('a key without the scope is refused there, and one with it is let through', async () => {
    const { gateway, asked } = await start();
    const { id } = await gateway.pack('triage');
    const reader = await gateway.key('READ_ONLY');
    const refused = await asked(DELETE, { id }, reader);
    expect(refused.data?.deletePack ?? null).toBeNull();
    expect(refused.errors).toHaveLength(1);
    // Who the caller is, and nothing else.
    expect(refused.requests).toBe(1);
    const deleted = await asked(DELETE, { id }, await gateway.key('FULL_ACCESS'));
    expect(deleted.data.deletePack.__typename).toBe('DeletedPack');
    expect(deleted.requests).toBe(2);
  });

  test('a field that a key may not have is null, and the rest is answered', async () => {
    const { gateway, asked } = await start();
    await gateway.pack('triage');
    const query = '{ packs { totalCount } apiKeys { totalCount } auditEvents { totalCount } }';
    const answer = await asked(query, {}, await gateway.key('READ_ONLY'));
    expect(answer.data).toEqual({
      packs: { totalCount: 1 },
      apiKeys: null,
      auditEvents: { totalCount: 1 },
    });
    expect(answer.errors).toEqual([expect.objectContaining({ path: ['apiKeys'] })]);
    expect((await asked(query, {}, OWNER_KEY)).data.apiKeys.totalCount).toBe(2);
  });

  test('who has no valid key may do nothing, a revoked one from the next request on', async () => {
    const { gateway, asked } = await start();
    const { id } = await gateway.pack('triage');
    const key = await gateway.key('FULL_ACCESS');
    const viewer = await gateway.graphql('{ viewer { apiKey { id } } }', {}, key);
    await gateway.graphql(
      'mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }',
      viewer.data.viewer.apiKey,
    );
    for (const none of [key, 'sk_unknown']) {
      const answer = await asked(DELETE, { id }, none);
      expect(answer.data?.deletePack ?? null).toBeNull();
      expect(answer.requests).toBe(1);
    }
    expect((await gateway.graphql('{ packs { totalCount } }')).data.packs.totalCount).toBe(1);
  });
});
