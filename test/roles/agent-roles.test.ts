import { describe, expect, test } from 'vitest';
import { attachPack, createRole, insertUnmanagedPack, role } from '../support/deletion.ts';
import { databaseKinds, type Gateway, startGateway } from '../support/gateway.ts';

const READ = `query ($id: ID!) { agentRole(id: $id) {
  name archivedAt packs { totalCount nodes { id } }
} }`;
const read = async (gateway: Gateway, id: string, key?: string) =>
  (await gateway.graphql(READ, { id }, key)).data.agentRole;

const change = async (gateway: Gateway, field: string, id: string, key?: string) => {
  const query = `mutation ($id: ID!) { ${field}(id: $id) { __typename ... on Error { code message } } }`;
  return (await gateway.graphql(query, { id }, key)).data[field];
};

const DETACH = `mutation ($roleId: ID!, $packId: ID!) {
  detachPack(roleId: $roleId, packId: $packId) { __typename ... on Error { code } }
}`;
const detach = async (gateway: Gateway, roleId: string, packId: string, key?: string) =>
  (await gateway.graphql(DETACH, { roleId, packId }, key)).data.detachPack;

const LIST = `query ($all: Boolean!) { agentRoles(includeArchived: $all) { totalCount nodes { name } } }`;
const names = async (gateway: Gateway, all: boolean) => {
  const { nodes } = (await gateway.graphql(LIST, { all })).data.agentRoles;
  return nodes.map((node: { name: string }) => node.name);
};

describe.each(databaseKinds)('agent roles on %s', (database) => {
  test('are made with their packs, and default to their name and development', async () => {
    const gateway = await startGateway({ database });
    const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
    const answer = await createRole(gateway, { name: 'on-call', packIds: [packId, packId] });
    expect(answer).toEqual({
      __typename: 'CreatedAgentRole',
      role: {
        id: expect.stringMatching(/^role_/),
        name: 'on-call',
        displayName: 'on-call',
        environment: 'DEVELOPMENT',
        packs: { nodes: [{ id: packId }] },
      },
    });
  });

  test('are not made at all when one of their packs is not there', async () => {
    const gateway = await startGateway({ database });
    const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
    const missing = `pack_${crypto.randomUUID()}`;
    const one = await createRole(gateway, { name: 'on-call', packIds: [packId, missing] });
    expect(one).toMatchObject({ __typename: 'NotFound', code: 'PACK_NOT_FOUND' });
    const two = await createRole(gateway, { name: 'on-call', packIds: [missing, packId, 'x'] });
    expect(two).toMatchObject({
      __typename: 'ValidationFailed',
      fields: [{ path: 'packIds.0' }, { path: 'packIds.2' }],
    });
    expect(await names(gateway, true)).toEqual([]);
  });

  test('have a name of their own in each org', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other-org');
    await role(gateway, 'on-call');
    const again = await createRole(gateway, { name: 'on-call' });
    expect(again).toMatchObject({ __typename: 'NameTaken', code: 'NAME_TAKEN' });
    expect(await role(gateway, 'on-call', [], other)).toMatch(/^role_/);
  });

  test('refuse names that are no slugs', async () => {
    const gateway = await startGateway({ database });
    for (const name of ['', 'On-Call', 'a b', '-a', 'a-', '.a', 'ä', 'a'.repeat(64)]) {
      const answer = await createRole(gateway, { name });
      expect(answer, name).toMatchObject({
        __typename: 'ValidationFailed',
        fields: [{ path: 'name' }],
      });
    }
    for (const name of ['a', 'on-call', 'v1.2_x', 'a'.repeat(63)]) await role(gateway, name);
  });

  test('are given a pack and relieved of it, as often as one asks', async () => {
    const gateway = await startGateway({ database });
    const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
    const roleId = await role(gateway, 'on-call');
    for (let times = 0; times < 2; times++) {
      expect((await attachPack(gateway, roleId, packId)).__typename).toBe('AttachedPack');
    }
    expect((await read(gateway, roleId)).packs).toEqual({ totalCount: 1, nodes: [{ id: packId }] });
    for (let times = 0; times < 2; times++) {
      expect((await detach(gateway, roleId, packId)).__typename).toBe('DetachedPack');
    }
    expect((await read(gateway, roleId)).packs).toEqual({ totalCount: 0, nodes: [] });
  });

  test('name what is missing when a pack is attached', async () => {
    const gateway = await startGateway({ database });
    const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
    const roleId = await role(gateway, 'on-call');
    const nobody = `role_${crypto.randomUUID()}`;
    for (const id of [nobody, 'nonsense', packId]) {
      expect((await attachPack(gateway, id, packId)).code).toBe('AGENT_ROLE_NOT_FOUND');
      expect((await detach(gateway, id, packId)).code).toBe('AGENT_ROLE_NOT_FOUND');
    }
    for (const id of [`pack_${crypto.randomUUID()}`, 'nonsense', roleId]) {
      expect((await attachPack(gateway, roleId, id)).code).toBe('PACK_NOT_FOUND');
    }
  });

  test('keep their packs while archived, and come back with them', async () => {
    const gateway = await startGateway({ database });
    const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
    const roleId = await role(gateway, 'on-call', [packId]);
    const early = await change(gateway, 'unarchiveAgentRole', roleId);
    expect(early).toMatchObject({ __typename: 'NotArchived', code: 'NOT_ARCHIVED' });
    for (let times = 0; times < 2; times++) {
      const { __typename } = await change(gateway, 'archiveAgentRole', roleId);
      expect(__typename).toBe('ArchivedAgentRole');
    }
    expect(await read(gateway, roleId)).toMatchObject({
      archivedAt: expect.any(String),
      packs: { nodes: [{ id: packId }] },
    });
    expect(await names(gateway, false)).toEqual([]);
    expect(await names(gateway, true)).toEqual(['on-call']);
    const { __typename } = await change(gateway, 'unarchiveAgentRole', roleId);
    expect(__typename).toBe('UnarchivedAgentRole');
    expect(await read(gateway, roleId)).toMatchObject({
      archivedAt: null,
      packs: { nodes: [{ id: packId }] },
    });
  });

  test('keep their names while archived, and whoever wants one is told so', async () => {
    const gateway = await startGateway({ database });
    const other = await role(gateway, 'other');
    const roleId = await role(gateway, 'on-call');
    const refusals = async () => {
      const json = { name: 'on-call' };
      const answers = [
        await gateway.rest('POST', '/v1/agent-roles', { json }),
        await gateway.rest('PATCH', `/v1/agent-roles/${other}`, { json }),
      ];
      return answers.map(({ body }) => [body.error.code, body.error.message]);
    };
    const twice = (advice: string) =>
      Array(2).fill(['name_taken', expect.stringContaining(advice)]);
    expect(await refusals()).toEqual(twice('"on-call": update that role'));
    await change(gateway, 'archiveAgentRole', roleId);
    expect(await refusals()).toEqual(twice('archived: unarchive it (unarchiveAgentRole)'));
  });

  test('do not exist for another org', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other-org');
    const packId = await insertUnmanagedPack(gateway, { name: 'shared', visibility: 'COMMUNITY' });
    const roleId = await role(gateway, 'on-call', [packId]);
    const missing = { __typename: 'NotFound', code: 'AGENT_ROLE_NOT_FOUND' };
    expect(await read(gateway, roleId, other)).toBeNull();
    expect(await attachPack(gateway, roleId, packId, other)).toMatchObject(missing);
    expect(await detach(gateway, roleId, packId, other)).toMatchObject(missing);
    expect(await change(gateway, 'archiveAgentRole', roleId, other)).toMatchObject(missing);
    expect(await change(gateway, 'unarchiveAgentRole', roleId, other)).toMatchObject(missing);
    expect(await read(gateway, roleId)).toMatchObject({ archivedAt: null });
  });
});
