import { describe, expect, test } from 'vitest';
import { change, events, setStatus } from '../packs/changes.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';

describe.each(databaseKinds)('updateAgentRole on %s', (database) => {
  const start = async () => {
    const gateway = await startGateway({ database });
    const ids: string[] = [];
    for (const name of ['one', 'two', 'three']) ids.push((await gateway.pack(name)).id);
    const [one = '', two = '', three = ''] = ids;
    const input = { name: 'agent', description: 'text', packIds: [one, two] };
    const { role } = await change(gateway, 'createAgentRole', { input });
    const before = (await events(gateway)).length;
    const update = (fields: object, key?: string) =>
      change(gateway, 'updateAgentRole', { id: role.id, input: fields }, key);
    const newEvents = async () =>
      (await events(gateway)).slice(before).map(({ type, subjectId }) => [type, subjectId]);
    return { gateway, id: role.id, one, two, three, update, newEvents };
  };
  const packsOf = ({ role }: { role: { packs: { nodes: { id: string }[] } } }) =>
    role.packs.nodes.map(({ id }) => id).sort();

  test('changes only the fields that are present', async () => {
    const { update, id, one, two, newEvents } = await start();
    const renamed = await update({ displayName: 'The agent' });
    expect(renamed.role).toMatchObject({
      name: 'agent',
      displayName: 'The agent',
      description: 'text',
      environment: 'DEVELOPMENT',
    });
    expect(packsOf(renamed)).toEqual([one, two].sort());
    const emptied = await update({ description: null, environment: 'PRODUCTION', name: 'other' });
    expect(emptied.role).toMatchObject({
      name: 'other',
      displayName: 'The agent',
      description: null,
      environment: 'PRODUCTION',
    });
    await update({});
    expect(await newEvents()).toEqual([
      ['AGENT_ROLE_UPDATED', id],
      ['AGENT_ROLE_UPDATED', id],
    ]);
    for (const field of ['name', 'displayName', 'environment', 'packIds']) {
      expect(await update({ [field]: null }), field).toMatchObject({ fields: [{ path: field }] });
    }
  });

  test('packIds replaces the list, with an event for each difference', async () => {
    const { update, one, two, three, newEvents } = await start();
    const answer = await update({ packIds: [two, three, two] });
    expect(packsOf(answer)).toEqual([two, three].sort());
    expect(await newEvents()).toEqual([
      ['PACK_DETACHED', one],
      ['PACK_ATTACHED', three],
    ]);
    expect(packsOf(await update({ packIds: [] }))).toEqual([]);
  });

  test('is all or nothing, and names every pack that it cannot attach', async () => {
    const { gateway, id, update, one, two, three, newEvents } = await start();
    const other = await gateway.org('globex');
    const { id: foreign } = await gateway.pack('secret', { key: other });
    await setStatus(gateway, three, 'DELETING');
    const both = await update({ displayName: 'New', packIds: [one, foreign, three, 'pack_x'] });
    expect(both.fields.map(({ path }: { path: string }) => path)).toEqual([
      'packIds.1',
      'packIds.2',
      'packIds.3',
    ]);
    expect((await update({ packIds: [foreign] })).__typename).toBe('NotFound');
    expect((await update({ packIds: [three] })).__typename).toBe('PackBeingDeleted');
    await change(gateway, 'createAgentRole', { input: { name: 'taken' } });
    expect((await update({ name: 'taken', packIds: [] })).__typename).toBe('NameTaken');
    expect((await update({ displayName: 'x' }, other)).__typename).toBe('NotFound');
    const created = (await newEvents()).map(([type]) => type);
    expect(created).toEqual(['AGENT_ROLE_CREATED']);
    const query = 'query ($id: ID!) { agentRole(id: $id) { displayName packs { nodes { id } } } }';
    const { data } = await gateway.graphql(query, { id });
    expect(data.agentRole.displayName).toBe('agent');
    expect(packsOf({ role: data.agentRole })).toEqual([one, two].sort());
  });

  test('two lists at once leave one of them, never a mixture', async () => {
    const { update, one, three } = await start();
    await Promise.all([update({ packIds: [one] }), update({ packIds: [three] })]);
    const left = packsOf(await update({}));
    expect([[one], [three]]).toContainEqual(left);
  });
});
