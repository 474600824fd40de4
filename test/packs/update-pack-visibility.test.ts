import { describe, expect, test } from 'vitest';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { change, events, setStatus } from './changes.ts';

describe.each(databaseKinds)('updatePackVisibility on %s', (database) => {
  test('shares and unshares; what it is already changes nothing', async () => {
    const gateway = await startGateway({ database });
    const { id } = await gateway.pack('triage');
    for (const visibility of ['ORG', 'COMMUNITY', 'COMMUNITY', 'ORG']) {
      const answer = await change(gateway, 'updatePackVisibility', { id, visibility });
      expect(answer).toMatchObject({ __typename: 'UpdatedPackVisibility', pack: { visibility } });
    }
    const types = (await events(gateway)).map(({ type }) => type);
    expect(types).toEqual(['PACK_UPLOADED', 'PACK_VISIBILITY_CHANGED', 'PACK_VISIBILITY_CHANGED']);
  });

  test('is refused while roles of other orgs hold the pack, but not for own roles', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('globex');
    const { id } = await gateway.pack('triage', { visibility: 'COMMUNITY' });
    const input = { name: 'agent', packIds: [id] };
    const own = await change(gateway, 'createAgentRole', { input });
    const { role } = await change(gateway, 'createAgentRole', { input }, other);
    const close = () => change(gateway, 'updatePackVisibility', { id, visibility: 'ORG' });
    const refused = await close();
    expect(refused).toMatchObject({
      __typename: 'PackInUse',
      roles: { nodes: [{ id: own.role.id }] },
      otherOrgRoleCount: 1,
    });
    expect(refused.message).toBe(
      'The pack "triage" is still referenced by agent roles of other orgs, which only those orgs can detach.',
    );
    await change(gateway, 'detachPack', { roleId: role.id, packId: id }, other);
    expect((await close()).__typename).toBe('UpdatedPackVisibility');
    const again = await change(gateway, 'attachPack', { roleId: role.id, packId: id }, other);
    expect(again.__typename).toBe('NotFound');
  });

  test('belongs to the owner, and waits for no deletion', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('globex');
    const { id } = await gateway.pack('triage', { visibility: 'COMMUNITY' });
    const variables = { id, visibility: 'ORG' };
    const foreign = await change(gateway, 'updatePackVisibility', variables, other);
    expect(foreign.__typename).toBe('NotFound');
    await setStatus(gateway, id, 'CLEANUP_FAILED');
    const dying = await change(gateway, 'updatePackVisibility', variables);
    expect(dying.__typename).toBe('PackBeingDeleted');
  });

  test('whoever attaches meanwhile either holds a shared pack or is refused', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('globex');
    for (let round = 0; round < 8; round++) {
      const { id } = await gateway.pack(`triage-${round}`, { visibility: 'COMMUNITY' });
      const input = { name: `agent-${round}` };
      const { role } = await change(gateway, 'createAgentRole', { input }, other);
      const [closed, attached] = await Promise.all([
        change(gateway, 'updatePackVisibility', { id, visibility: 'ORG' }),
        change(gateway, 'attachPack', { roleId: role.id, packId: id }, other),
      ]);
      expect([
        ['UpdatedPackVisibility', 'NotFound'],
        ['PackInUse', 'AttachedPack'],
      ]).toContainEqual([closed.__typename, attached.__typename]);
    }
  });
});
