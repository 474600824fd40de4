import { expect, test } from 'vitest';
import { type Change, change } from '../packs/changes.ts';
import { insertUnmanagedPack, role } from '../support/deletion.ts';
import { startGateway } from '../support/gateway.ts';

const ROUNDS = 25;

test('packs given to, taken from and listed for one role at once are all answered', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const packIds: string[] = [];
  for (const name of ['one', 'two']) packIds.push(await insertUnmanagedPack(gateway, { name }));
  const roleId = await role(gateway, 'agent');
  const kinds = new Set<string>();
  const ask = async (name: Change, variables: object) =>
    kinds.add((await change(gateway, name, variables)).__typename);
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all([
      ...packIds.map((packId) => ask('attachPack', { roleId, packId })),
      ask('updateAgentRole', { id: roleId, input: { packIds } }),
      ask('updateAgentRole', { id: roleId, input: { packIds: packIds.toReversed() } }),
      ...packIds.map((packId) => ask('detachPack', { roleId, packId })),
      ask('updateAgentRole', { id: roleId, input: { packIds: [] } }),
    ]);
  }
  expect([...kinds].sort()).toEqual(['AttachedPack', 'DetachedPack', 'UpdatedAgentRole']);
});
