/** Of a shared pack others learn that it cannot be used, and not why. */
import { expect, test } from 'vitest';
import { change, setStatus } from '../packs/changes.ts';
import { role } from '../support/deletion.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test.each(databaseKinds)(
  'that its deletion has failed is seen by its owner alone: %s',
  async (database) => {
    const gateway = await startGateway({ database });
    const pack = await gateway.pack('shared', { visibility: 'COMMUNITY' });
    await setStatus(gateway, pack.id, 'CLEANUP_FAILED');
    const other = await gateway.org('other');
    const found = async (status: string, key?: string) => {
      const query = `{ packs(filter: { status: ${status} }) { totalCount nodes { id status cleanupFailure { reason } } } }`;
      return (await gateway.graphql(query, {}, key)).data.packs;
    };
    const none = { totalCount: 0, nodes: [] };
    expect(await found('CLEANUP_FAILED', other)).toEqual(none);
    expect(await found('DELETING', other)).toEqual({
      totalCount: 1,
      nodes: [{ id: pack.id, status: 'DELETING', cleanupFailure: null }],
    });
    expect((await gateway.rest('GET', `/v1/packs/${pack.id}`, { key: other })).body.status).toBe(
      'deleting',
    );
    expect(await found('CLEANUP_FAILED')).toMatchObject({
      nodes: [{ id: pack.id, status: 'CLEANUP_FAILED' }],
    });
    expect(await found('DELETING')).toEqual(none);
  },
);

test('only its owner is told to finish the deletion', async () => {
  const gateway = await startGateway();
  const { id } = await gateway.pack('shared', { visibility: 'COMMUNITY' });
  const other = await gateway.org('other');
  const uses = async (key: string) => {
    const roleId = await role(gateway, 'holder', [], key);
    return [
      await change(gateway, 'attachPack', { roleId, packId: id }, key),
      await change(gateway, 'createAgentRole', { input: { name: 'late', packIds: [id] } }, key),
      await change(gateway, 'clonePack', { id, name: 'copy' }, key),
    ];
  };
  await setStatus(gateway, id, 'DELETING');
  for (const { code, message } of await uses(OWNER_KEY)) {
    expect([code, message]).toEqual(['PACK_BEING_DELETED', expect.stringContaining('deletePack')]);
  }
  for (const { code, message } of await uses(other)) {
    expect([code, message]).toEqual([
      'PACK_BEING_DELETED',
      'The pack "shared" is being deleted by its owner; it cannot be used any more.',
    ]);
  }
});
