/** What lists and lookups promise to clients that keep answers by id. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway;
let other: string;
let reader: string;
beforeEach(async () => {
  gateway = await startGateway();
  other = await gateway.org('other');
  reader = await gateway.key('READ_ONLY');
});

describe('node and nodes', () => {
  const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }';

  test('find packs, keys, events and the org, in the order of the ids, with null for what is not there', async () => {
    const pack = await gateway.pack('nodes');
    const { data } = await gateway.graphql(
      '{ viewer { org { id } apiKey { id } } auditEvents(first: 1) { nodes { id } } }',
    );
    const ids = [
      pack.id,
      'pack_01890000-0000-7000-8000-000000000000',
      data.viewer.org.id,
      'nonsense',
      data.viewer.apiKey.id,
      data.auditEvents.nodes[0].id,
      pack.id,
    ];
    expect((await gateway.graphql(NODES, { ids })).data.nodes).toEqual([
      { __typename: 'Pack', id: ids[0] },
      null,
      { __typename: 'Org', id: ids[2] },
      null,
      { __typename: 'ApiKey', id: ids[4] },
      { __typename: 'AuditEvent', id: ids[5] },
      { __typename: 'Pack', id: ids[6] },
    ]);
    const theirs = await gateway.graphql(NODES, { ids }, other);
    expect(theirs.data.nodes).toEqual(ids.map(() => null));
  });

  test('take at most 200 ids', async () => {
    const ids = Array.from({ length: 201 }, () => 'pack_x');
    const { errors } = await gateway.graphql(NODES, { ids });
    expect(errors[0].extensions).toMatchObject({ code: 'GRAPHQL_LIMIT_EXCEEDED', maximum: 200 });
    expect((await gateway.graphql(NODES, { ids: ids.slice(1) })).data.nodes).toHaveLength(200);
  });
});

test('entities of every type are found by reference in the own org only', async () => {
  await gateway.pack('entities');
  const { data } = await gateway.graphql(
    '{ viewer { org { id } apiKey { id } } auditEvents(first: 1) { nodes { id } } }',
  );
  const representations = [
    { __typename: 'Org', id: data.viewer.org.id },
    { __typename: 'ApiKey', id: data.viewer.apiKey.id },
    { __typename: 'AuditEvent', id: data.auditEvents.nodes[0].id },
  ];
  const ENTITIES = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
    __typename ... on Org { slug } ... on ApiKey { label } ... on AuditEvent { type } } }`;
  const found = await gateway.graphql(ENTITIES, { representations });
  expect(found.data._entities.map((entity: { __typename: string }) => entity.__typename)).toEqual(
    representations.map(({ __typename }) => __typename),
  );
  const theirs = await gateway.graphql(ENTITIES, { representations }, other);
  expect(theirs.data._entities).toEqual([null, null, null]);
  expect(theirs.errors).toBeUndefined();
});

test('a caller without the scope keeps the rest of the answer', async () => {
  const answer = await gateway.graphql(
    '{ viewer { scopes } apiKeys { totalCount } auditEvents { totalCount } }',
    {},
    reader,
  );
  expect(answer.data).toMatchObject({
    viewer: { scopes: ['audit:read'] },
    apiKeys: null,
    auditEvents: { totalCount: expect.any(Number) },
  });
  expect(answer.errors).toMatchObject([
    { path: ['apiKeys'], extensions: { code: 'PERMISSION_DENIED' } },
  ]);
});

test.each(['apiKeys', 'auditEvents'])('%s can be walked both ways', async (list) => {
  for (const label of ['a', 'b', 'c']) {
    await gateway.graphql(
      'mutation ($label: String!) { createApiKey(label: $label, permissionSet: READ_ONLY) { __typename } }',
      { label },
    );
  }
  const page = async (args: string) =>
    (
      await gateway.graphql(
        `{ page: ${list}(${args}) { nodes { id } pageInfo { hasPreviousPage startCursor endCursor } } }`,
      )
    ).data.page;
  const { nodes, pageInfo } = await page('first: 3');
  const second = await page(`first: 3, after: "${(await page('first: 1')).pageInfo.endCursor}"`);
  const back = await page(`last: 1, before: "${second.pageInfo.startCursor}"`);
  expect(back.nodes).toEqual([nodes[0]]);
  expect(back.pageInfo.hasPreviousPage).toBe(false);
  expect(pageInfo.hasPreviousPage).toBe(false);
});
