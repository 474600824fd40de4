import { expect, test } from 'vitest';
import { insertUnmanagedPack } from '../support/deletion.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const ENTITIES = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Pack { id name orgId owned }
    ... on AgentRole { id name }
  }
}`;
const CREATE_ROLE = `mutation ($input: CreateAgentRoleInput!) {
  createAgentRole(input: $input) { ... on CreatedAgentRole { role { id } } }
}`;

const entities = async (
  gateway: Gateway,
  representations: readonly object[],
  key?: string | null,
) => (await gateway.graphql(ENTITIES, { representations }, key)).data?._entities;

async function createRole(gateway: Gateway, name: string, key?: string): Promise<string> {
  const answer = await gateway.graphql(CREATE_ROLE, { input: { name } }, key);
  return answer.data.createAgentRole.role.id;
}

test('fifty packs and fifty roles cost one statement each, and keep their order', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const packs: string[] = [];
  const roles: string[] = [];
  for (let i = 0; i < 50; i++) {
    packs.push(await insertUnmanagedPack(gateway, { name: `pack-${i}` }));
    roles.push(await createRole(gateway, `role-${i}`));
  }
  const representations = packs.flatMap((id, i) => [
    { __typename: 'Pack', id },
    { __typename: 'AgentRole', id: roles[i] },
  ]);
  const { length: before } = gateway.statements;
  const found = await entities(gateway, representations);
  expect(found.map(({ id }: { id: string }) => id)).toEqual(
    packs.flatMap((id, i) => [id, roles[i]]),
  );
  const statements = gateway.statements.slice(before);
  expect(statements.filter((sql) => /\b(?:from|join) packs\b/.test(sql))).toHaveLength(1);
  expect(statements.filter((sql) => /\bfrom "?agent_roles\b/.test(sql))).toHaveLength(1);
});

test('what belongs to another org is null, as if it were not there', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const other = await gateway.org('other');
  const own = await gateway.pack('own');
  const theirs = await gateway.pack('theirs', { key: other });
  const shared = await gateway.pack('shared', { key: other, visibility: 'COMMUNITY' });
  const theirRole = await createRole(gateway, 'their-role', other);
  const pack = (id: string) => ({ __typename: 'Pack', id });
  expect(
    await entities(gateway, [
      pack(own.id),
      pack(theirs.id),
      pack(shared.id),
      { __typename: 'AgentRole', id: theirRole },
      pack('pack_00000000-0000-7000-8000-000000000000'),
      pack('no id at all'),
      pack(theirRole),
    ]),
  ).toEqual([
    expect.objectContaining({ id: own.id, owned: true }),
    null,
    { __typename: 'Pack', id: shared.id, name: 'shared', orgId: null, owned: false },
    null,
    null,
    null,
    null,
  ]);
});

test('what is no reference is refused in its own place, and the others are answered', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const { id } = await gateway.pack('own');
  const pack = { __typename: 'Pack', id };
  const malformed = [
    { __typename: 'PackFile', id },
    { __typename: 'Nobody', id },
    { __typename: 'Pack' },
    { __typename: 'Pack', id: 7 },
    { __typename: 'AgentRole', id: [id] },
    { __typename: ['Pack'], id },
    { id },
    [pack],
    'Pack',
    0,
  ];
  const representations = [pack, ...malformed, pack];
  const { data, errors } = await gateway.graphql(ENTITIES, { representations });
  const found = expect.objectContaining({ id });
  expect(data._entities).toEqual([found, ...malformed.map(() => null), found]);
  expect(errors).toEqual(
    malformed.map((_, index) =>
      expect.objectContaining({
        path: ['_entities', index + 1],
        extensions: { code: 'BAD_REQUEST', requestId: expect.any(String) },
      }),
    ),
  );
  const refused = await gateway.graphql(ENTITIES, { representations }, null);
  expect(refused.errors[0].extensions.code).toBe('UNAUTHENTICATED');
});
