import { describe, expect, test } from 'vitest';
import { nameInIndex, putBystander, stateOfBystander } from '../support/bystander.ts';
import {
  deletePack,
  eventsOf,
  insertUnmanagedPack,
  isPullable,
  role,
  rowOf,
  type StoredPack,
} from '../support/deletion.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';

async function stored(gateway: Gateway, id: string): Promise<StoredPack> {
  const row = await rowOf(gateway, id);
  if (row === undefined) throw new Error('the pack is not there');
  return row;
}

const ARCHIVE = 'mutation ($id: ID!) { archiveAgentRole(id: $id) { __typename } }';
const DETACH = `mutation ($roleId: ID!, $packId: ID!) {
  detachPack(roleId: $roleId, packId: $packId) { __typename }
}`;

describe.each(deployments)('deletePack on $database with $registry', ({ database, registry }) => {
  const start = async () =>
    startGateway({ database, environment: await registryEnvironment(registry) });

  test('removes a free pack with its image, once', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    await putBystander(gateway, 'triage');
    const row = await stored(gateway, id);
    expect(await isPullable(gateway, row)).toBe(true);
    expect(await deletePack(gateway, id)).toEqual({
      __typename: 'DeletedPack',
      deletedPackId: id,
      name: 'triage',
      deletedAt: expect.any(String),
      image: 'PURGED',
    });
    expect(await isPullable(gateway, row)).toBe(false);
    expect(await rowOf(gateway, id)).toBeUndefined();
    const again = await deletePack(gateway, id);
    expect(again).toMatchObject({ __typename: 'NotFound', code: 'PACK_NOT_FOUND' });
    const events = ['PACK_UPLOADED', 'PACK_DELETION_STARTED', 'PACK_DELETED'];
    expect(await eventsOf(gateway, id)).toEqual(events);
    expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
    // The name is free again.
    expect((await gateway.pack('triage')).status).toBe('ACTIVE');
  });

  test('counts an image that the registry no longer has as purged', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    const { repository, image_digest } = await stored(gateway, id);
    await putBystander(gateway, 'triage');
    await gateway.app.world.registry.purge(repository, image_digest);
    const answer = await deletePack(gateway, id);
    expect(answer).toMatchObject({ __typename: 'DeletedPack', image: 'ALREADY_GONE' });
    expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  });

  test('keeps an image that an index of somebody else names', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    const image = await stored(gateway, id);
    await nameInIndex(gateway, 'triage');
    expect(await deletePack(gateway, id)).toMatchObject({ image: 'RETAINED_SHARED' });
    expect(await isPullable(gateway, image)).toBe(true);
    expect(await rowOf(gateway, id)).toBeUndefined();
  });

  test('is refused while a role holds the pack, archived or not, and names it', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    const row = await stored(gateway, id);
    const active = await role(gateway, 'on-call', [id]);
    const archived = await role(gateway, 'retired', [id]);
    await gateway.graphql(ARCHIVE, { id: archived });

    const refused = await deletePack(gateway, id);
    expect(refused).toMatchObject({
      __typename: 'PackInUse',
      code: 'PACK_IN_USE',
      pack: { id, status: 'ACTIVE' },
      otherOrgRoleCount: 0,
      roles: { totalCount: 2 },
    });
    expect(refused.roles.nodes.map((node: { id: string }) => node.id).sort()).toEqual(
      [active, archived].sort(),
    );
    expect(refused.message).toContain('"on-call"');

    await gateway.graphql(DETACH, { roleId: active, packId: id });
    const stillRefused = await deletePack(gateway, id);
    expect(stillRefused.roles.nodes).toEqual([
      { id: archived, name: 'retired', archivedAt: expect.any(String) },
    ]);
    expect(await isPullable(gateway, row)).toBe(true);

    await gateway.graphql(DETACH, { roleId: archived, packId: id });
    expect(await deletePack(gateway, id)).toMatchObject({ image: 'PURGED' });
  });

  test('keeps an image that another pack points at', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    const image = await stored(gateway, id);
    const reference = await insertUnmanagedPack(gateway, { name: 'same-image', image });
    expect(await deletePack(gateway, id)).toMatchObject({ image: 'RETAINED_SHARED' });
    expect(await isPullable(gateway, image)).toBe(true);
    expect(await rowOf(gateway, id)).toBeUndefined();
    expect(await eventsOf(gateway, id)).toEqual(['PACK_UPLOADED', 'PACK_DELETED']);
    expect(await deletePack(gateway, reference)).toMatchObject({ image: 'NOT_MANAGED' });
    expect(await isPullable(gateway, image)).toBe(true);
  });

  test('counts roles of other orgs on a community pack and shows nothing else of them', async () => {
    const gateway = await start();
    const other = await gateway.org('other-org');
    const { id } = await gateway.pack('shared', { visibility: 'COMMUNITY' });
    await role(gateway, 'own-role', [id]);
    const foreign = await role(gateway, 'secret-role-of-others', [id], other);
    const answer = await deletePack(gateway, id);
    expect(answer).toMatchObject({
      __typename: 'PackInUse',
      otherOrgRoleCount: 1,
      roles: { totalCount: 1, nodes: [{ name: 'own-role' }] },
    });
    expect(JSON.stringify(answer)).not.toMatch(/secret-role|other-org/);
    expect(JSON.stringify(answer)).not.toContain(foreign);
  });

  test('is refused where only other orgs hold the pack', async () => {
    const gateway = await start();
    const other = await gateway.org('other-org');
    const { id } = await gateway.pack('shared', { visibility: 'COMMUNITY' });
    await role(gateway, 'secret-role-of-others', [id], other);
    const answer = await deletePack(gateway, id);
    expect(answer).toMatchObject({
      __typename: 'PackInUse',
      otherOrgRoleCount: 1,
      roles: { totalCount: 0, nodes: [] },
    });
    expect(answer.message).toBe(
      'The pack "shared" is still referenced by agent roles of other orgs, which only those orgs can detach.',
    );
    expect(JSON.stringify(answer)).not.toMatch(/secret-role|other-org/);
    expect((await stored(gateway, id)).status).toBe('ACTIVE');
  });

  test.each(['IMAGE_REF', 'CLONE'] as const)(
    'touches no image of origin %s',
    async (imageOrigin) => {
      const gateway = await start();
      const { id } = await gateway.pack('triage');
      const image = await stored(gateway, id);
      const copy = await insertUnmanagedPack(gateway, { name: 'copy', imageOrigin, image });
      expect(await deletePack(gateway, copy)).toMatchObject({ image: 'NOT_MANAGED' });
      expect(await isPullable(gateway, image)).toBe(true);
    },
  );

  test('of ten calls at once one deletes and the others find nothing', async () => {
    const gateway = await start();
    const { id } = await gateway.pack('triage');
    await putBystander(gateway, 'triage');
    const answers = await Promise.all(Array.from({ length: 10 }, () => deletePack(gateway, id)));
    const kinds = answers.map(({ __typename }) => __typename).sort();
    expect(kinds).toEqual(['DeletedPack', ...Array(9).fill('NotFound')]);
    const events = await eventsOf(gateway, id);
    expect(events.filter((type) => type === 'PACK_DELETED')).toHaveLength(1);
    expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  });
});
