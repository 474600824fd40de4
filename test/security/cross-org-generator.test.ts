/** The probes are made of the schema and the OpenAPI document: what they cannot fill fails the run, and says what to add. */
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { tenantTables } from './cross-org/dump.ts';
import { documentOf } from './cross-org/graphql-operations.ts';
import { nestedProbes, rootProbes } from './cross-org/graphql-probes.ts';
import { restProbes } from './cross-org/rest-probes.ts';
import { collectFields } from './cross-org/selection.ts';
import { twinOf } from './cross-org/tokens.ts';
import { createWorld, type World } from './cross-org/world.ts';

/** What generators need of a world: ids to fill in. */
const own = { pack: 'pack_1', role: 'role_1', key: 'key_1', shared: 'pack_2', free: 'pack_3' };
const world: Pick<World, 'own'> = { own };
const probesOf = (sdl: string) => {
  const schema = buildSchema(sdl);
  // Generators read nothing but `own`.
  const all = world as World;
  return [...rootProbes(schema, all, []), ...nestedProbes(schema, all)].map(({ name }) => name);
};

test.each([
  ['a scalar', 'scalar Ulid type Query { a(which: Ulid): Int }', /a\(which\): Ulid is new: say in/],
  ['a text', 'type Query { a(which: String): Int }', /Query\.a\(which\): String is new: say in/],
  [
    'a text in an input object',
    'input In { deep: Deep } input Deep { which: [String!] } type Query { a(in: In): Int }',
    /Query\.a\.in\.deep\(which\): \[String!\] is new/,
  ],
  [
    'an argument of a field below',
    'type Query { a: A } type A { b(id: ID): Int }',
    /probe A\.b\(id\), a id/,
  ],
  [
    'an argument of a type to which no way leads',
    'type Query { a: Int } type B { c(after: String): B }',
    /no way leads to B/,
  ],
  [
    'an argument of a subscription',
    'type Query { a: Int } type Subscription { b(id: ID): Int }',
    /probe the arguments of b/,
  ],
])('%s that is new in the schema fails', (_what, sdl, message) => {
  expect(() => probesOf(sdl)).toThrow(message);
});

test('a field that is new is probed wherever an id, a cursor or a text goes in', () => {
  expect(
    probesOf(`type Query { a(id: ID, in: In, size: Int): Int b(after: String): B }
      type Mutation { c(name: String!, ids: [ID!]!): B } type B { d(before: String): B }
      input In { subjectId: String, packIds: [ID!] }`),
  ).toEqual([
    'query a(id)',
    'query a(in.subjectId)',
    'query a(in.packIds)',
    'query a(in.packIds, with an own one)',
    'query b(after)',
    'mutation c(name)',
    'mutation c(ids)',
    'mutation c(ids, with an own one)',
    'B.d(before)',
  ]);
});

test('a required argument of a field below fails, and one of every selected field is asked for', () => {
  const required = buildSchema('type Query { a: A } type A { b(size: Int!): Int }');
  const { a } = required.getQueryType()?.getFields() ?? {};
  if (a === undefined) throw new Error('there is no field a');
  expect(() => documentOf(required, 'query', a, {}, 2)).toThrow('A.b has a required argument');
  const seen = new Set<string>();
  collectFields({ a: { __typename: 'A', b: null, A_c: [{ __typename: 'C', d: 1 }] } }, seen);
  expect([...seen]).toEqual(['A.__typename', 'A.b', 'A.c', 'C.__typename', 'C.d']);
});

test.each([
  ['a parameter', { parameters: [{ in: 'query', name: 'which', schema: { type: 'string' } }] }],
  ['a field of a body', json({ which: { type: 'string' } })],
  ['a list in a body', json({ which: { type: 'array', items: { type: 'string' } } })],
  ['an object in a body', json({ which: { type: 'object' } })],
])('%s that is new in the OpenAPI document fails', (_what, operation) => {
  const document = { paths: { '/v1/packs': { post: operation } } };
  expect(() => restProbes(document, world as World)).toThrow(/POST \/v1\/packs: which, .* is new/);
});

function json(properties: object) {
  return { requestBody: { content: { 'application/json': { schema: { properties } } } } };
}

test('a table that is new fails until it is said whose its rows are', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await gateway.app.world.database.query('create table news (id uuid)', []);
  await expect(tenantTables(gateway)).rejects.toThrow('news is new: say in cross-org/dump.ts');
});

/** Tables that name no org. */
const NAMELESS = ['orgs', 'repository_leases', 'pack_deletions'];

test('a canary is in every text that an org can store', async () => {
  const { gateway } = await createWorld('postgres');
  const columns = await gateway.app.world.database.query<{ name: string; holds: boolean }>(
    `select c.table_name || '.' || c.column_name as name from information_schema.columns c
     where c.table_schema = 'public' and c.data_type in ('text', 'character varying', 'ARRAY', 'jsonb')
     and not exists (select 1 from information_schema.check_constraints k
       where k.constraint_schema = 'public' and k.check_clause like '%(' || c.column_name || ' = ANY%')
     order by 1`,
    [],
  );
  const empty: string[] = [];
  for (const { name } of columns) {
    const [table = '', column = ''] = name.split('.');
    const ofOrg = (await tenantTables(gateway))[table];
    if (ofOrg == null) continue;
    const [found] = await gateway.app.world.database.query(
      `select 1 from ${table} where ${column}::text ilike '%canary%'
       and (${NAMELESS.includes(table) ? 'true' : 'org_id is not null'})`,
      [],
    );
    if (found === undefined) empty.push(name);
  }
  // A digest is looked for as it is; leases are held only while something is written.
  expect(empty).toEqual(['packs.image_digest', 'repository_leases.repository']);
});

test.each([
  'pack_01a20bb0-c902-74ba-b2bb-9eb7a0e03ee3',
  Buffer.from('01a20bb0-c902-74ba-b2bb-9eb7a0e03ee3').toString('base64url'),
  `packs/canary-org/canary-live@sha256:${'a'.repeat(64)}`,
  'canary-role',
])('nobody has the twin of %s, which looks the same', (value) => {
  expect(twinOf(value)).not.toBe(value);
  expect(twinOf(value)).toHaveLength(value.length);
  expect(twinOf(value).slice(0, 3)).toBe(value.slice(0, 3).replace('can', 'nob'));
});
