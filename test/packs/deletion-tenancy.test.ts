/** A pack of another org does not exist, and a caller without the scope learns nothing. */
import { describe, expect, test } from 'vitest';
import {
  attachPack,
  DELETE,
  deletePack,
  insertUnmanagedPack,
  role,
  rowOf,
} from '../support/deletion.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';

const READ = `query ($id: ID!) {
  pack(id: $id) { id }
  node(id: $id) { id }
  _entities(representations: [{ __typename: "Pack", id: $id }]) { ... on Pack { id } }
}`;

describe.each(databaseKinds)('deletion on %s', (database) => {
  test('finds no pack of another org, by any way in', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other-org');
    const { id } = await gateway.pack('triage');
    const roleId = await role(gateway, 'intruder', [], other);
    const missing = { __typename: 'NotFound', code: 'PACK_NOT_FOUND' };
    expect(await deletePack(gateway, id, other)).toMatchObject(missing);
    expect(await attachPack(gateway, roleId, id, other)).toMatchObject(missing);
    expect((await gateway.graphql(READ, { id }, other)).data).toEqual({
      pack: null,
      node: null,
      _entities: [null],
    });
    expect(await rowOf(gateway, id)).toMatchObject({ status: 'ACTIVE' });
  });

  test('answers alike for a pack of another org and for none at all', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other-org');
    const { id } = await gateway.pack('triage');
    const never = `pack_${crypto.randomUUID()}`;
    const shape = async (packId: string) => {
      const { message, requestId, ...rest } = await deletePack(gateway, packId, other);
      return {
        ...rest,
        message: message.replace(packId, '…'),
        has: typeof requestId,
      };
    };
    expect(await shape(id)).toEqual(await shape(never));
  });

  test('lets other orgs read a community pack but not delete it', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other-org');
    const id = await insertUnmanagedPack(gateway, { name: 'shared', visibility: 'COMMUNITY' });
    expect((await gateway.graphql(READ, { id }, other)).data.pack).toEqual({ id });
    expect(await deletePack(gateway, id, other)).toMatchObject({ __typename: 'NotFound' });
    expect(await rowOf(gateway, id)).toMatchObject({ status: 'ACTIVE' });
  });

  test('without caps:write reads nothing about the pack', async () => {
    const gateway = await startGateway({ database });
    const reader = await gateway.key('READ_ONLY');
    const { id } = await gateway.pack('triage');
    gateway.statements.length = 0;
    const { data, errors } = await gateway.graphql(DELETE, { id }, reader);
    expect(gateway.statements.filter((sql) => /packs/.test(sql))).toEqual([]);
    expect(data).toBeNull();
    expect(errors).toHaveLength(1);
    const { extensions } = errors[0];
    expect(extensions.code).toBe('PERMISSION_DENIED');
    expect(extensions.requiredScopes).toEqual(['caps:write']);
    expect(extensions.requestId).toEqual(expect.any(String));
    expect(await rowOf(gateway, id)).toMatchObject({ status: 'ACTIVE' });
  });

  test('a refusal for want of a scope has HTTP status 200', async () => {
    const gateway = await startGateway({ database });
    const reader = await gateway.key('READ_ONLY');
    const body = JSON.stringify({ query: DELETE, variables: { id: 'pack_x' } });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${reader}` };
    const request = new Request('http://gateway/graphql', { method: 'POST', headers, body });
    const response = await gateway.app.fetch(request);
    expect(response.status).toBe(200);
    const [error] = (await response.json()).errors;
    expect(error.extensions.requestId).toBe(response.headers.get('x-request-id'));
  });
});
