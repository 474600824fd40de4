/** What is found by its name, which is its org's own. */
import { expect, test } from 'vitest';
import { change } from '../packs/changes.ts';
import { insertUnmanagedPack, role } from '../support/deletion.ts';
import { startGateway } from '../support/gateway.ts';

const BY_NAME =
  'query ($name: String!) { packByName(name: $name) { id } agentRoleByName(name: $name) { id archivedAt } }';
const LIST =
  'query ($names: [String!]) { packs(filter: { names: $names, owned: true }) { totalCount nodes { name } } }';

test('a pack and a role are found by name in the own org, and nowhere else', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const other = await gateway.org('other');
  const packId = await insertUnmanagedPack(gateway, { name: 'triage', visibility: 'COMMUNITY' });
  const theirs = await insertUnmanagedPack(gateway, { name: 'theirs', orgSlug: 'other' });
  const roleId = await role(gateway, 'triage', [packId]);
  const find = async (name: string, key?: string) =>
    (await gateway.graphql(BY_NAME, { name }, key)).data;
  const found = { packByName: { id: packId }, agentRoleByName: { id: roleId, archivedAt: null } };
  expect(await find('triage')).toEqual(found);
  const none = { packByName: null, agentRoleByName: null };
  // Shared with all, but a name is one among those of its org.
  expect(await find('triage', other)).toEqual(none);
  expect(await find('theirs')).toEqual(none);
  expect(await find('theirs', other)).toEqual({ ...none, packByName: { id: theirs } });
  for (const name of ['', 'Triage', 'triage ', '%', 'x'.repeat(10_000)]) {
    expect(await find(name), name.slice(0, 10)).toEqual(none);
  }
  await change(gateway, 'archiveAgentRole', { id: roleId });
  expect((await find('triage')).agentRoleByName).toEqual({
    id: roleId,
    archivedAt: expect.any(String),
  });
});

test('what is no name is found nowhere, and the database is not asked for it', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await gateway.graphql(BY_NAME, { name: 'triage' });
  const asked = () => gateway.statements.filter((sql) => !sql.includes('api_keys')).length;
  const before = asked();
  expect(before).toBeGreaterThan(0);
  for (const name of ['', 'Triage', '-', 'a\0b', 'x'.repeat(64), 'x'.repeat(16_000)]) {
    expect((await gateway.graphql(BY_NAME, { name })).data).toEqual({
      packByName: null,
      agentRoleByName: null,
    });
  }
  expect(asked()).toBe(before);
});

test('nothing holds a text that is longer than any name', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const name = 'x'.repeat(63);
  await insertUnmanagedPack(gateway, { name });
  const held = async (nameContains: string) =>
    (
      await gateway.graphql(
        'query ($filter: PackFilter) { packs(filter: $filter) { totalCount nodes { name } } }',
        { filter: { nameContains } },
      )
    ).data.packs;
  expect(await held(name)).toEqual({ totalCount: 1, nodes: [{ name }] });
  expect(await held(`${name}x`)).toEqual({ totalCount: 0, nodes: [] });
});

test('a list of packs is narrowed to the names that are asked for', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  for (const name of ['a', 'b', 'c']) await insertUnmanagedPack(gateway, { name });
  const list = async (names: string[] | null) => {
    const { packs } = (await gateway.graphql(LIST, { names })).data;
    const found = packs.nodes.map((pack: { name: string }) => pack.name).sort();
    expect(packs.totalCount).toBe(found.length);
    return found;
  };
  expect(await list(['a', 'c', 'c', 'none'])).toEqual(['a', 'c']);
  expect(await list([])).toEqual([]);
  expect(await list(null)).toEqual(['a', 'b', 'c']);
});
