import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { OWNER_KEY } from '../support/owner-key.ts';
import { isCounted, operations } from './operations.ts';
import { startRecordedGateway, worldOf } from './world.ts';

test('each operation takes as many SQL statements as its table says', async () => {
  const { gateway, sent } = await startRecordedGateway();
  const world = worldOf({ gateway, sent }, OWNER_KEY, 'default');
  // From now on, noting the use of the key is not due for a minute.
  await world.graphql('{ viewer { userId } }');
  const taken: Record<string, number | string> = {};
  for (const { name, prepare } of operations) {
    const operation = await prepare(world);
    sent.length = 0;
    const asExpected = await operation();
    const statements = sent.filter(({ sql }) => isCounted(sql));
    taken[name] = asExpected ? statements.length : 'not the expected answer';
  }
  expect(taken).toEqual(
    Object.fromEntries(operations.map(({ name, statements }) => [name, statements])),
  );
});

test('the table holds every root field and every route', async () => {
  const { gateway } = await startRecordedGateway();
  const schema = buildSchema(readFileSync('schema.graphql', 'utf8'), { assumeValidSDL: true });
  const { body } = await gateway.rest('GET', '/v1/openapi.json', { key: null });
  const named = new Set(operations.map(({ name }) => /^(\S+\.\S+|\S+ \S+)/.exec(name)?.[0]));
  const all = [
    ...Object.keys(schema.getQueryType()?.getFields() ?? {}).map((field) => `Query.${field}`),
    ...Object.keys(schema.getMutationType()?.getFields() ?? {}).map((field) => `Mutation.${field}`),
    ...Object.entries<object>(body.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    ),
  ];
  expect(all.filter((name) => !named.has(name))).toEqual([]);
});

test('authentication takes one statement at most', async () => {
  const { gateway, sent } = await startRecordedGateway();
  const ask = () => gateway.graphql('{ viewer { userId } }');
  await ask();
  sent.length = 0;
  for (let i = 0; i < 5; i++) await ask();
  const lookups = () => sent.filter(({ sql }) => /across orgs: authenticate/.test(sql)).length;
  // A revoked key is refused from the next request on, so each request has to look.
  expect(lookups()).toBe(5);
  sent.length = 0;
  await Promise.all(Array.from({ length: 20 }, ask));
  // Those that come at the same moment share one.
  expect(lookups()).toBeLessThan(20);
});

/** Three of each, and later fifty: what one statement reads for a few it reads for many. */
const lists = {
  'packs with roles, counts and previews': `{ packs(first: 60, filter: { owned: true }) { totalCount nodes { id
    roles(first: 5) { totalCount nodes { name } } deletionPreview { deletable roles(first: 3) { nodes { name } } } } } }`,
  'agentRoles with packs': `{ agentRoles(first: 60) { totalCount nodes { id packs(first: 5) { totalCount
    nodes { name roles(first: 2) { nodes { name } } } } } } }`,
  auditEvents: '{ auditEvents(first: 60) { totalCount nodes { id type details } } }',
  apiKeys: '{ apiKeys(first: 60) { totalCount nodes { id label } } }',
};

test('a list of fifty takes as many statements as a list of three', async () => {
  const { gateway, sent } = await startRecordedGateway();
  const world = worldOf({ gateway, sent }, OWNER_KEY, 'default');
  const statementsOf = async (document: string) => {
    sent.length = 0;
    const data = await world.graphql(document);
    const [list] = Object.values<{ nodes: unknown[] }>(data);
    const { length } = sent.filter(({ sql }) => isCounted(sql));
    return { nodes: list?.nodes.length ?? 0, statements: length };
  };
  const measure = async () => {
    const measured: Record<string, { nodes: number; statements: number }> = {};
    for (const [name, document] of Object.entries(lists)) {
      measured[name] = await statementsOf(document);
    }
    return measured;
  };
  const add = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await world.role([await world.unmanagedPack()]);
      await world.apiKey();
    }
  };
  await add(3);
  const few = await measure();
  await add(47);
  const many = await measure();
  for (const name of Object.keys(lists)) {
    expect(few[name]?.nodes, name).toBeLessThan(10);
    expect(many[name]?.nodes, name).toBeGreaterThanOrEqual(50);
    expect(many[name]?.statements, name).toBe(few[name]?.statements);
  }
});
