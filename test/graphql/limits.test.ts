import { getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const repeat = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');

/** Under the root: one object, with `levels` of fields in all. */
const viewerDeep = (levels: number) => {
  // node > … on Pack > deletionPreview > roles > nodes > packs > nodes > …
  const cycle = ['roles(first: 1)', 'nodes', 'packs(first: 1)', 'nodes'];
  const path = Array.from({ length: levels - 2 }, (_, index) => cycle[index % 4]);
  // The last field is a scalar that is on every type of the cycle.
  return `{ pack(id: "pack_0") { ${path.join(' { ')} { __typename } ${'}'.repeat(path.length - 1)} } }`;
};

interface Case {
  readonly limit: string;
  readonly maximum: number;
  /** An operation that measures `size`. */
  readonly query: (size: number) => string;
  readonly variables?: (size: number) => object;
  /** The next larger size that can be written. */
  readonly beyond?: number;
}

const pair = (size: number) =>
  Array.from({ length: size }, () => ({ __typename: 'Pack', id: 'x' }));

const cases: Record<string, Case> = {
  'characters of a document': {
    limit: 'characters',
    maximum: 65_536,
    query: (size) => '{ __typename }'.padEnd(size),
  },
  tokens: {
    limit: 'tokens',
    maximum: 2_000,
    // 24 tokens besides the numbers.
    query: (size) =>
      `{ _entities(representations: [{ __typename: "Pack" id: "x" pad: [${'1 '.repeat(size - 24)}] }]) { __typename } }`,
  },
  aliases: {
    limit: 'aliases',
    maximum: 50,
    query: (size) => `{ viewer { org { ${repeat(size, (index) => `a${index}: id`)} } } }`,
  },
  directives: {
    limit: 'directives',
    maximum: 50,
    query: (size) => `{ viewer { org { ${'id @include(if: true) '.repeat(size)} } } }`,
  },
  depth: { limit: 'depth', maximum: 12, query: viewerDeep },
  'root fields': {
    limit: 'rootFields',
    maximum: 20,
    query: (size) => `{ ${repeat(size, (index) => `a${index}: __typename`)} }`,
  },
  'root fields in fragments': {
    limit: 'rootFields',
    maximum: 20,
    query: (size) =>
      `{ ...F ... on Query { __typename } }
       fragment F on Query { ${repeat(size - 1, (index) => `a${index}: __typename`)} }`,
  },
  'a page, by "first"': {
    limit: 'pageSize',
    maximum: 200,
    query: (size) => `{ packs(first: ${size}) { nodes { id } } }`,
  },
  'a page, by "last" in a variable': {
    limit: 'pageSize',
    maximum: 200,
    query: () => 'query ($n: Int) { packs(last: $n) { nodes { id } } }',
    variables: (n) => ({ n }),
  },
  "a page, by a variable's default": {
    limit: 'pageSize',
    maximum: 200,
    query: (size) => `query ($n: Int = ${size}) { packs(first: $n) { nodes { id } } }`,
  },
  'a page deep within': {
    limit: 'pageSize',
    maximum: 200,
    query: () =>
      'query ($n: Int) { packs(first: 1) { nodes { roles(first: $n) { totalCount } } } }',
    variables: (n) => ({ n }),
  },
  'one text of the variables': {
    limit: 'text',
    maximum: 128 * 1024,
    query: () => 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: (size) => ({ ids: ['x', 'x'.repeat(size)] }),
  },
  'representations of entities': {
    limit: 'representations',
    maximum: 1_000,
    query: () => 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
    variables: (size) => ({ r: pair(size) }),
  },
  // packs, and of each of 200: nodes, roles, and so many fields of each of 123 roles and `nodes` itself.
  cost: {
    limit: 'cost',
    maximum: 1 + 200 * (2 + 123 * 2),
    query: () =>
      `query ($n: Int) { packs(first: 200) { nodes { roles(first: $n) { nodes { id } } } } }`,
    variables: (cost) => ({ n: Math.ceil(((cost - 1) / 200 - 2) / 2) }),
    beyond: 1 + 200 * (2 + 124 * 2),
  },
};

async function send(gateway: Gateway, body: unknown): Promise<{ status: number; answer: Json }> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${OWNER_KEY}` };
  const response = await gateway.app.fetch(
    new Request('http://gateway/graphql', { method: 'POST', headers, body: JSON.stringify(body) }),
  );
  return { status: response.status, answer: await response.json() };
}

describe('a request just inside and just outside', () => {
  test.each(Object.entries(cases))(
    '%s',
    async (_name, { limit, maximum, query, variables, beyond }) => {
      const gateway = await startGateway({ database: 'postgres' });
      const at = (size: number) => ({ query: query(size), variables: variables?.(size) });
      const inside = await send(gateway, at(maximum));
      expect(inside.answer.errors).toBeUndefined();
      expect(inside.status).toBe(200);
      const statements = gateway.statements.length;
      const outside = await send(gateway, at(beyond ?? maximum + 1));
      expect(outside.status).toBe(400);
      expect(outside.answer).toEqual({
        errors: [
          expect.objectContaining({
            message: expect.stringContaining('at most'),
            extensions: {
              code: 'GRAPHQL_LIMIT_EXCEEDED',
              requestId: expect.any(String),
              limit,
              maximum: limit === 'cost' ? 50_000 : maximum,
              actual: beyond ?? maximum + 1,
            },
          }),
        ],
      });
      // No resolver ran: the one statement was the authentication's.
      expect(
        gateway.statements.slice(statements).filter((sql) => !sql.includes('api_keys')),
      ).toEqual([]);
    },
  );

  test('a body', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const frame = JSON.stringify({ query: '{ __typename }', extensions: { padding: '' } }).length;
    const body = (bytes: number) => ({
      query: '{ __typename }',
      extensions: { padding: 'x'.repeat(bytes - frame) },
    });
    expect((await send(gateway, body(1024 ** 2))).status).toBe(200);
    const outside = await send(gateway, body(1024 ** 2 + 1));
    expect(outside.status).toBe(413);
    expect(outside.answer.errors[0].extensions.code).toBe('PAYLOAD_TOO_LARGE');
  });

  test('a batch', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    for (const batch of [[{ query: '{ __typename }' }], [{}, {}]]) {
      const { status, answer } = await send(gateway, batch);
      expect(status).toBe(400);
      expect(answer.errors[0].extensions).toMatchObject({
        code: 'GRAPHQL_LIMIT_EXCEEDED',
        limit: 'operations',
      });
    }
  });
});

describe('limits', () => {
  test('hold each time, also for a document that is known', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const query = 'query ($n: Int) { packs(first: $n) { nodes { id } } }';
    const statuses: number[] = [];
    for (const n of [1, 201, 1, 1, 201, 1, 201, null]) {
      statuses.push((await send(gateway, { query, variables: { n } })).status);
    }
    expect(statuses).toEqual([200, 400, 200, 200, 400, 200, 400, 200]);
  });

  test('concern the operation that is carried out', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const query = `query Small { __typename } query Large($n: Int) { packs(first: $n) { nodes { id } } }`;
    const variables = { n: 500 };
    expect((await send(gateway, { query, variables, operationName: 'Small' })).status).toBe(200);
    expect((await send(gateway, { query, variables, operationName: 'Large' })).status).toBe(400);
  });

  test('see through fragments that multiply or contain themselves', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const doubling = repeat(
      60,
      (index) =>
        `fragment F${index} on Query { a: viewer { org { id } } ...F${index + 1} ...F${index + 1} }`,
    );
    const bomb = `{ ...F0 } ${doubling} fragment F60 on Query { __typename }`;
    expect((await send(gateway, { query: bomb })).status).toBe(400);
    const circular = '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }';
    const { answer } = await send(gateway, { query: circular });
    expect(answer.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('hold for mutations and subscriptions, before anything is changed', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const { id } = await gateway.pack('triage');
    const query = `mutation ($id: ID!, $n: Int) { deletePack(id: $id) {
      ... on PackInUse { roles(first: $n) { nodes { id } } }
    } }`;
    expect((await send(gateway, { query, variables: { id, n: 201 } })).status).toBe(400);
    const { data } = await gateway.graphql('query ($id: ID!) { pack(id: $id) { status } }', { id });
    expect(data.pack.status).toBe('ACTIVE');
    const watch = `subscription ($n: Int) { packEvents { pack { roles(first: $n) { nodes { id } } } } }`;
    const headers = {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${OWNER_KEY}`,
    };
    const body = JSON.stringify({ query: watch, variables: { n: 201 } });
    const request = new Request('http://gateway/graphql', { method: 'POST', headers, body });
    const response = await gateway.app.fetch(request);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('GRAPHQL_LIMIT_EXCEEDED');
  });

  test('let introspection pass as GraphiQL and Explorer send it, but only so much of it', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const query = getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    const { status, answer } = await send(gateway, { query });
    expect(answer.errors).toBeUndefined();
    expect(status).toBe(200);
    const type =
      'ofType { fields { name description args { name } type { name ofType { name description } } } }';
    const many = `{ ${repeat(19, (at) => `a${at}: __schema { types { fields { type { ${type} } } } }`)} }`;
    const refused = await send(gateway, { query: many });
    expect(refused.answer.errors[0].extensions).toMatchObject({
      code: 'GRAPHQL_LIMIT_EXCEEDED',
      limit: 'cost',
    });
  });

  test('let the largest pages of everything pass that a client would show', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const query = `{ packs(first: 200) {
      pageInfo { hasNextPage endCursor }
      totalCount
      edges { cursor node {
        id name displayName description version tier visibility category imageOrigin imageRef imageDigest sizeBytes
        status createdAt updatedAt cleanupFailure { reason message at attempts }
        deletionPreview { deletable image otherOrgRoleCount }
        roles(first: 20) { totalCount nodes { id name displayName environment archivedAt } }
      } }
    } }`;
    const { answer } = await send(gateway, { query });
    expect(answer.errors).toBeUndefined();
    expect(answer.data.packs.totalCount).toBe(0);
  });
});
