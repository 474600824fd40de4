/** What an operation costs is what it reads and what it answers, and not only how many fields it has. */
import { type GraphQLField, getOperationAST, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { maximumOf } from '../../src/graphql/limits/maxima.ts';
import { measureOperation } from '../../src/graphql/limits/measure-operation.ts';
import { bytesOf, priceOf } from '../../src/graphql/limits/price.ts';
import { schema } from '../../src/graphql/schema.ts';
import { newUuid } from '../../src/model/ids.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const repeat = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');

function amountOf(query: string) {
  const document = parse(query);
  const operation = getOperationAST(document);
  if (operation == null) throw new Error('there is no operation');
  return measureOperation(schema, document, operation, {}).amount;
}

/** Whether a leaf's bytes are known, by its type or its own price; others count as 64 KiB. */
const isPriced = (field: GraphQLField<unknown, unknown>) =>
  priceOf(field).bytes !== undefined || bytesOf(field) < 64 * 1024;

test('every field whose text could be long has a price', () => {
  const unpriced = Object.values(schema.getTypeMap())
    .filter((type) => 'getFields' in type && !type.name.startsWith('__'))
    .filter((type) => !('isOneOf' in type))
    .flatMap((type) =>
      Object.values('getFields' in type ? type.getFields() : {})
        .filter((field) => 'args' in field && !isPriced(field))
        .map(({ name }) => `${type.name}.${name}`),
    );
  // Federation's own, the schema as a text: as expensive as what nobody has priced.
  expect(unpriced).toEqual(['_Service.sdl']);
});

describe('what is counted', () => {
  test('a count reads no page, a page reads one row more than it shows', () => {
    const nested = (below: string) =>
      amountOf(`{ agentRoles(first: 200) { nodes { packs(first: 100) { ${below} } } } }`).rows;
    expect(nested('totalCount')).toBe(201 + 200);
    expect(nested('pageInfo { hasNextPage }')).toBe(201 + 200 * 101);
    expect(nested('edges { cursor }')).toBe(201 + 200 * 101);
    expect(amountOf('{ a: packs { totalCount } b: packs { nodes { id } } }').rows).toBe(1 + 51);
  });

  test('representations of entities read a row each', () => {
    const of = (count: number) =>
      amountOf(`{ _entities(representations: [${'1 '.repeat(count)}]) { __typename } }`).rows;
    expect([of(1), of(100)]).toEqual([1, 100]);
  });

  test('the name that an answer gives to a field counts as often as it is answered', () => {
    const long = 'x'.repeat(50_000);
    const { bytes } = amountOf(`{ packs(first: 200) { nodes { ${long}: id } } }`);
    expect(bytes).toBeGreaterThan(200 * 50_000);
  });

  test('introspection counts what the schema has', () => {
    const types = Object.keys(schema.getTypeMap()).length;
    const { fields } = amountOf('{ __schema { types { name } } }');
    expect(fields).toBe(1 + 1 + types);
    const type =
      'ofType { fields { name description args { name } type { name ofType { name description } } } }';
    const bomb = `{ ${repeat(19, (at) => `a${at}: __schema { types { fields { type { ${type} } } } }`)} }`;
    expect(amountOf(bomb).fields).toBeGreaterThan(maximumOf('cost'));
  });
});

/** So many packs with so long capabilities and descriptions, each attached to each of so many roles. */
async function filled(gateway: Gateway, packs: number, length: number, roles = 1): Promise<void> {
  const { database } = gateway.app.world;
  const [org] = await database.query<{ id: string }>(
    `select id from orgs where slug = 'default'`,
    [],
  );
  const uuids = (count: number) => Array.from({ length: count }, () => newUuid());
  const [packIds, roleIds] = [uuids(packs), uuids(roles)];
  await database.query(
    `insert into packs (id, org_id, name, version, display_name, description, tier, visibility, category,
       capabilities, suggested_packs, image_origin, repository, image_ref, size_bytes, status, cleanup_attempts,
       created_at, updated_at)
     select id, $2, 'p-' || id, '1.0.0', 'P', repeat('d', 4096), 'COMMUNITY', 'ORG', null, repeat('c', $3), '{}',
       'IMAGE_REF', 'r', 'r:1', 1, 'ACTIVE', 0, now(), now() from unnest($1::uuid[]) as id`,
    [packIds, org?.id, length],
  );
  await database.query(
    `insert into agent_roles (id, org_id, name, display_name, environment, created_at, updated_at)
     select id, $2, 'r-' || id, 'R', 'STAGING', now(), now() from unnest($1::uuid[]) as id`,
    [roleIds, org?.id],
  );
  await database.query(
    `insert into role_packs (role_id, pack_id, org_id, attached_at)
     select r, p, $3, now() from unnest($1::uuid[]) as r cross join unnest($2::uuid[]) as p`,
    [roleIds, packIds, org?.id],
  );
}

async function ask(gateway: Gateway, query: string, variables: object = {}) {
  const response = await gateway.app.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER_KEY}` },
      body: JSON.stringify({ query, variables }),
    }),
  );
  const text = await response.text();
  return { status: response.status, bytes: text.length, answer: JSON.parse(text) };
}

const beyondBytes = {
  data: null,
  errors: [
    {
      message: expect.stringContaining('at most 8388608 bytes in its answer'),
      extensions: { code: 'GRAPHQL_LIMIT_EXCEEDED', limit: 'bytes', maximum: 8_388_608 },
    },
  ],
};

test('long texts count as they are: as long as they may be they end an operation, and short ones do not', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await filled(gateway, 200, 200);
  const page = '{ packs(first: 200) { nodes { id description capabilities } } }';
  expect((await ask(gateway, page)).answer.data.packs.nodes).toHaveLength(200);
  const { database } = gateway.app.world;
  await database.query(
    `update packs set capabilities = repeat('c', 65536) where org_id is not null`,
    [],
  );
  gateway.statements.length = 0;
  const capabilities = '{ packs(first: 200) { nodes { capabilities } } }';
  expect((await ask(gateway, capabilities)).answer).toMatchObject(beyondBytes);
  const hundred = await ask(gateway, '{ packs(first: 100) { nodes { id capabilities } } }');
  expect(hundred.answer.errors).toBeUndefined();
  expect(hundred.bytes).toBeGreaterThan(100 * 65_536);
});

test('what is read of long rows stops where the answer has grown too large', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await filled(gateway, 200, 65_536, 3);
  const reading = () =>
    gateway.statements.filter((sql) => /p\.capabilities/.test(sql) && /packs/.test(sql)).length;
  const attacks = [
    `{ ${repeat(20, (at) => `a${at}: packs(first: 200) { nodes { capabilities } }`)} }`,
    '{ agentRoles { nodes { packs(first: 200) { nodes { capabilities } } } } }',
    `{ packs(first: 2) { nodes { ${repeat(45, (at) => `a${at}: capabilities`)} } }
       b: packs(first: 2) { nodes { c: capabilities ...F ...G } } }
     fragment F on Pack { d: capabilities ...G } fragment G on Pack { e: capabilities }`,
  ];
  for (const attack of attacks.slice(0, 2)) {
    gateway.statements.length = 0;
    const { answer, bytes } = await ask(gateway, attack);
    expect(answer).toMatchObject(beyondBytes);
    expect(bytes).toBeLessThan(2_000);
    expect(reading()).toBeLessThanOrEqual(2);
  }
  const { data } = (await ask(gateway, '{ packs(first: 200) { nodes { id } } }')).answer;
  const of = data.packs.nodes.map(({ id }: { id: string }) => ({ __typename: 'Pack', id }));
  const entities = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Pack { capabilities } } }`;
  const all = await ask(gateway, entities, { of: Array.from({ length: 5 }, () => of).flat() });
  expect(all.answer).toMatchObject(beyondBytes);
  const ordinary = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Pack { name } } }`;
  gateway.statements.length = 0;
  const names = await ask(gateway, ordinary, { of: Array.from({ length: 5 }, () => of).flat() });
  expect(names.answer.data._entities).toHaveLength(1_000);
  expect(reading()).toBe(0);
});

test('a text under many names counts as often', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await filled(gateway, 10, 65_536);
  const query = `{ packs { nodes { ${repeat(40, (at) => `a${at}: capabilities`)} } } }`;
  expect((await ask(gateway, query)).answer).toMatchObject(beyondBytes);
});

test('a count of what lies within a list reads no row of it, and is one statement', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await filled(gateway, 5, 100, 30);
  gateway.statements.length = 0;
  const { answer } = await ask(
    gateway,
    '{ agentRoles(first: 200) { nodes { packs(first: 200) { totalCount } } } }',
  );
  expect(answer.data.agentRoles.nodes).toEqual(
    Array.from({ length: 30 }, () => ({ packs: { totalCount: 5 } })),
  );
  const sent = gateway.statements.filter((sql) => !/across orgs|plan_cache_mode/.test(sql));
  expect(sent).toHaveLength(2);
  expect(sent.filter((sql) => /join packs/.test(sql))).toEqual([]);
});
