/** Both surfaces speak of every outcome with the same words: kind, code, status, message and details. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { newUuid, packIds, roleIds } from '../../src/model/ids.ts';
import { type ProblemKind, problems } from '../../src/outcomes.ts';
import { conformingClient } from '../rest/conforming-client.ts';
import { insertUnmanagedPack, role } from '../support/deletion.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { registryError, startHostileRegistry } from '../support/hostile-registry.ts';

/** The same request in both languages. */
interface Request {
  readonly graphql: readonly [mutation: string, variables?: Record<string, unknown>];
  readonly rest: readonly [method: string, path: string, json?: unknown];
}

interface World {
  readonly gateway: Gateway;
  readonly org: string;
  readonly key: string;
}

interface Scenario {
  readonly kind: string;
  /** Makes the caller's org ready, and says what is asked of it. */
  arrange(world: World): Promise<Request> | Request;
}

const pack = ({ gateway, org }: World, name: string, columns: Record<string, string> = {}) =>
  insertUnmanagedPack(gateway, { name, orgSlug: org }).then(async (id) => {
    for (const [column, value] of Object.entries(columns)) {
      await gateway.app.world.database.query(
        `update packs set ${column} = $1 where id = $2 and org_id = org_id`,
        [value, id.slice('pack_'.length)],
      );
    }
    return id;
  });

const newRole = (name: string, ids: readonly string[] = []): Request => ({
  graphql: ['createAgentRole(input: $input)', { input: { name, packIds: ids } }],
  rest: ['POST', '/v1/agent-roles', { name, pack_ids: ids }],
});
const deletion = (id: string): Request => ({
  graphql: ['deletePack(id: $id)', { id }],
  rest: ['DELETE', `/v1/packs/${id}`],
});
const onRole = (verb: 'archive' | 'unarchive', id: string): Request => ({
  graphql: [`${verb}AgentRole(id: $id)`, { id }],
  rest: ['POST', `/v1/agent-roles/${id}/${verb}`],
});

/** The compiler wants one for each kind of problem. */
const problemScenarios: { readonly [Kind in ProblemKind]: Scenario['arrange'] } = {
  not_found: () => deletion(packIds.of(newUuid())),
  validation_failed: () => newRole('Not A Slug'),
  name_taken: async ({ gateway, key }) => {
    await role(gateway, 'taken', [], key);
    return newRole('taken');
  },
  pack_in_use: async (world) => {
    const id = await pack(world, 'used');
    await role(world.gateway, 'first', [id], world.key);
    await role(world.gateway, 'second', [id], world.key);
    return deletion(id);
  },
  pack_not_editable: async (world) => {
    const id = await pack(world, 'imported');
    return {
      graphql: ['deletePackFile(id: $id, path: "behavior.md")', { id }],
      rest: ['DELETE', `/v1/packs/${id}/files/behavior.md`],
    };
  },
  pack_being_deleted: async (world) =>
    newRole('late', [await pack(world, 'dying', { status: 'DELETING' })]),
  registry_cleanup_failed: async (world) =>
    deletion(
      // An image of its own: one that another pack points at would be kept.
      await pack(world, 'stuck', { image_origin: 'UPLOAD', repository: `packs/${world.org}/x` }),
    ),
  registry_unavailable: () => ({
    graphql: ['createPackFromImage(imageRef: $imageRef)', { imageRef: 'team/thing:1' }],
    rest: ['POST', '/v1/packs', { image_ref: 'team/thing:1' }],
  }),
  not_archived: async ({ gateway, key }) =>
    onRole('unarchive', await role(gateway, 'in-use', [], key)),
};

const successes: readonly Scenario[] = [
  { kind: 'deleted', arrange: async (world) => deletion(await pack(world, 'free')) },
  { kind: 'created', arrange: () => newRole('new') },
  {
    kind: 'archived',
    arrange: async ({ gateway, key }) => onRole('archive', await role(gateway, 'old', [], key)),
  },
  {
    kind: 'unarchived',
    async arrange({ gateway, key }) {
      const id = await role(gateway, 'back', [], key);
      await gateway.rest('POST', `/v1/agent-roles/${id}/archive`, { key });
      return onRole('unarchive', id);
    },
  },
  {
    kind: 'role_updated',
    async arrange({ gateway, key }) {
      const id = await role(gateway, 'plain', [], key);
      return {
        graphql: ['updateAgentRole(id: $id, input: $change)', { id, change: { displayName: 'X' } }],
        rest: ['PATCH', `/v1/agent-roles/${id}`, { display_name: 'X' }],
      };
    },
  },
  {
    kind: 'visibility_updated',
    async arrange(world) {
      const id = await pack(world, 'shared');
      return {
        graphql: ['updatePackVisibility(id: $id, visibility: COMMUNITY)', { id }],
        rest: ['PATCH', `/v1/packs/${id}`, { visibility: 'community' }],
      };
    },
  },
];

const variableTypes: Record<string, string> = {
  id: 'ID!',
  input: 'CreateAgentRoleInput!',
  change: 'UpdateAgentRoleInput!',
  imageRef: 'String!',
};

async function askGraphQL({ gateway, key }: World, [mutation, variables = {}]: Request['graphql']) {
  const declared = Object.keys(variables).map((name) => `$${name}: ${variableTypes[name]}`);
  const operation = `mutation${declared.length > 0 ? `(${declared.join(', ')})` : ''} {
    answer: ${mutation} { __typename ... on Error { code message requestId details } }
  }`;
  const { data, errors } = await gateway.graphql(operation, variables, key);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.answer;
}

async function askRest({ gateway, key }: World, [method, path, json]: Request['rest']) {
  const { call } = await conformingClient(gateway);
  return call(method, path, { key, ...(json !== undefined && { json }) });
}

/** Each surface gets an org of its own, with things of the same names: only ids differ. */
async function onBoth(arrange: Scenario['arrange']) {
  const registry = await startHostileRegistry(() => ({
    ...registryError(429, 'TOOMANYREQUESTS'),
    headers: { 'content-type': 'application/json', 'retry-after': '7' },
  }));
  onTestFinished(() => registry.stop());
  const environment = { REGISTRY_URL: registry.url.origin, REGISTRY_DEADLINE_MS: '1000' };
  const gateway = await startGateway({ database: 'postgres', environment });
  const worlds = ['asks-graphql', 'asks-rest'].map(async (org) => ({
    gateway,
    org,
    key: await gateway.org(org),
  }));
  const [ofGraphQL, ofRest] = await Promise.all(worlds);
  if (ofGraphQL === undefined || ofRest === undefined) throw new Error('two worlds were made');
  const graphqlRequest = await arrange(ofGraphQL);
  const restRequest = await arrange(ofRest);
  const graphql = await askGraphQL(ofGraphQL, graphqlRequest.graphql);
  const rest = await askRest(ofRest, restRequest.rest);
  const failed = gateway.logs.find(({ msg }) => msg === 'request failed');
  expect(failed, 'nothing failed unexpectedly').toBeUndefined();
  const outcomes = (route: string) =>
    gateway.logs.findLast(({ msg, route: of }) => msg === 'request' && of === route)?.outcome;
  return { graphql, rest, logged: { graphql: outcomes('graphql'), rest: outcomes('rest') } };
}

const withoutIds = (value: Json): Json =>
  JSON.parse(JSON.stringify(value ?? null).replaceAll(/(pack|role)_[0-9a-f-]{36}/g, '$1_…'));

const kinds = Object.keys(problemScenarios) as ProblemKind[];

describe('an outcome is the same on both surfaces', () => {
  test.each(kinds)('problem %s', async (kind) => {
    const { graphql, rest, logged } = await onBoth(problemScenarios[kind]);
    const { graphqlType, status, codes } = problems[kind];
    expect(logged).toEqual({ graphql: kind, rest: kind });
    expect(graphql.__typename).toBe(graphqlType);
    expect(rest.status).toBe(status);
    const { code, message, details } = rest.body.error;
    expect(codes).toContain(code);
    expect(graphql.code).toBe(code.toUpperCase());
    expect(withoutIds(message)).toBe(withoutIds(graphql.message));
    expect(withoutIds(details)).toEqual(withoutIds(graphql.details));
    const retryAfter = details?.retry_after_seconds;
    expect(rest.headers.get('retry-after')).toBe(retryAfter === undefined ? null : `${retryAfter}`);
  });

  test.each(successes)('success $kind', async ({ kind, arrange }) => {
    const { graphql, rest, logged } = await onBoth(arrange);
    expect(logged).toEqual({ graphql: kind, rest: kind });
    expect(graphql.code).toBeUndefined();
    expect(rest.status).toBeLessThan(300);
  });

  test('the registry asks for a pause, and REST passes it on', async () => {
    const { rest } = await onBoth(problemScenarios.registry_cleanup_failed);
    expect(rest.headers.get('retry-after')).toBe('7');
    expect(rest.body.error.details).toEqual({
      reason: 'rate_limited',
      retryable: true,
      retry_after_seconds: 7,
      attempts: 1,
    });
  });

  test('a denied caller is told which scope is missing, and nothing else', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const key = await gateway.key('READ_ONLY');
    const { call } = await conformingClient(gateway);
    for (const id of [await gateway.pack('there').then(({ id }) => id), roleIds.of(newUuid())]) {
      const rest = await call('DELETE', `/v1/packs/${id}`, { key });
      const graphql = await gateway.graphql(
        `mutation { deletePack(id: "${id}") { __typename } }`,
        {},
        key,
      );
      const [error] = graphql.errors;
      expect(rest.status).toBe(403);
      expect(rest.body.error).toMatchObject({
        code: 'permission_denied',
        message: error.message,
        details: { required_scopes: error.extensions.requiredScopes },
      });
      expect(error.extensions.code).toBe('PERMISSION_DENIED');
    }
  });
});
