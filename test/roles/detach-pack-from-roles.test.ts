import { describe, expect, test } from 'vitest';
import { change } from '../packs/changes.ts';
import { deletePack, eventsOf, insertUnmanagedPack, role } from '../support/deletion.ts';
import { isSweep, longDatabaseKinds } from '../support/extent.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';

/** Of calls at once. */
const ROUNDS = isSweep ? 20 : 8;

const start = () => startGateway({ database: 'postgres' });
const detach = (gateway: Gateway, variables: object, key?: string) =>
  change(gateway, 'detachPackFromRoles', variables, key);
const detached = (roleCount: number) => ({ __typename: 'DetachedPackFromRoles', roleCount });
const missing = (type: 'role' | 'pack') => `${type}_${crypto.randomUUID()}`;

/** What a role holds, as its own org sees it. */
const packsOf = async (gateway: Gateway, id: string, key?: string): Promise<string[]> => {
  const query = 'query ($id: ID!) { agentRole(id: $id) { packs { nodes { id } } } }';
  const { data } = await gateway.graphql(query, { id }, key);
  return data.agentRole.packs.nodes.map((pack: Json) => pack.id);
};

/** The roles of the events of one type about a pack, of whatever org, sorted. */
async function rolesOfEvents({ app }: Gateway, packId: string, type = 'PACK_DETACHED') {
  const rows = await app.world.database.query<{ role: string }>(
    `select details->>'roleId' as role from audit_events
     where subject_id = $1 and type = $2 and org_id is not null`,
    [packId, type],
  );
  return rows.map((row) => row.role).sort();
}

describe.each(longDatabaseKinds)('a pack is taken from roles on %s', (database) => {
  test('from all of the org, archived ones too, with one event each; again changes nothing', async () => {
    const gateway = await startGateway({ database });
    const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
    const other = await insertUnmanagedPack(gateway, { name: 'other' });
    const roles: string[] = [];
    for (const name of ['a', 'b', 'c']) roles.push(await role(gateway, name, [packId, other]));
    const [archived = ''] = roles;
    await change(gateway, 'archiveAgentRole', { id: archived });
    expect(await detach(gateway, { packId })).toEqual(detached(3));
    for (const id of roles) expect(await packsOf(gateway, id)).toEqual([other]);
    expect(await rolesOfEvents(gateway, packId)).toEqual(roles.toSorted());
    expect(await detach(gateway, { packId, roleIds: null })).toEqual(detached(0));
    expect(await rolesOfEvents(gateway, packId)).toHaveLength(3);
    expect((await deletePack(gateway, packId)).__typename).toBe('DeletedPack');
  });

  test('from the named ones alone, those without it not counted, each once', async () => {
    const gateway = await startGateway({ database });
    const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
    const named = await role(gateway, 'named', [packId]);
    const kept = await role(gateway, 'kept', [packId]);
    const without = await role(gateway, 'without');
    const roleIds = [named, without, named];
    expect(await detach(gateway, { packId, roleIds: [] })).toEqual(detached(0));
    expect(await detach(gateway, { packId, roleIds })).toEqual(detached(1));
    expect(await packsOf(gateway, named)).toEqual([]);
    expect(await packsOf(gateway, kept)).toEqual([packId]);
    expect(await rolesOfEvents(gateway, packId)).toEqual([named]);
  });

  test('from none where one of them is not there', async () => {
    const gateway = await startGateway({ database });
    const stranger = await gateway.org('stranger');
    const packId = await insertUnmanagedPack(gateway, { name: 'triage', visibility: 'COMMUNITY' });
    const roleId = await role(gateway, 'on-call', [packId]);
    const theirs = await role(gateway, 'theirs', [packId], stranger);
    for (const unknown of [missing('role'), theirs, packId, '', 'x'.repeat(100_000)]) {
      const answer = await detach(gateway, { packId, roleIds: [roleId, unknown] });
      expect(answer).toMatchObject({ __typename: 'NotFound', code: 'AGENT_ROLE_NOT_FOUND' });
    }
    for (const unknown of [missing('pack'), roleId, '']) {
      const answer = await detach(gateway, { packId: unknown });
      expect(answer).toMatchObject({ __typename: 'NotFound', code: 'PACK_NOT_FOUND' });
    }
    expect(await packsOf(gateway, roleId)).toEqual([packId]);
    expect(await packsOf(gateway, theirs, stranger)).toEqual([packId]);
    expect(await rolesOfEvents(gateway, packId)).toEqual([]);
  });
});

test('roles of other orgs keep it, be the pack theirs or ours', async () => {
  const gateway = await start();
  const stranger = await gateway.org('stranger');
  const packId = await insertUnmanagedPack(gateway, { name: 'shared', visibility: 'COMMUNITY' });
  const ours = await role(gateway, 'on-call', [packId]);
  const theirs = await role(gateway, 'on-call', [packId], stranger);
  expect(await detach(gateway, { packId }, stranger)).toEqual(detached(1));
  expect(await packsOf(gateway, ours)).toEqual([packId]);
  expect(await packsOf(gateway, theirs, stranger)).toEqual([]);
  await change(gateway, 'attachPack', { roleId: theirs, packId }, stranger);
  expect(await detach(gateway, { packId })).toEqual(detached(1));
  expect(await packsOf(gateway, theirs, stranger)).toEqual([packId]);
  expect(await deletePack(gateway, packId)).toMatchObject({
    __typename: 'PackInUse',
    roles: { totalCount: 0 },
    otherOrgRoleCount: 1,
  });
});

test("another org's own pack is not there, whoever holds it", async () => {
  const gateway = await start();
  const stranger = await gateway.org('stranger');
  const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
  const roleId = await role(gateway, 'on-call', [packId]);
  const mine = await role(gateway, 'mine', [], stranger);
  for (const variables of [{ packId }, { packId, roleIds: [mine] }]) {
    const answer = await detach(gateway, variables, stranger);
    expect(answer).toMatchObject({ __typename: 'NotFound', code: 'PACK_NOT_FOUND' });
  }
  expect(await packsOf(gateway, roleId)).toEqual([packId]);
});

test('an event that cannot be written leaves every role as it was', async () => {
  const gateway = await start();
  const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
  const roles: string[] = [];
  for (const name of ['a', 'b', 'c']) roles.push(await role(gateway, name, [packId]));
  await gateway.app.world.database.query(
    `alter table audit_events add check (
       type <> 'PACK_DETACHED' or org_id is null or details->>'roleId' <> '${roles[1]}')`,
    [],
  );
  await expect(detach(gateway, { packId })).rejects.toThrow('INTERNAL_ERROR');
  for (const id of roles) expect(await packsOf(gateway, id)).toEqual([packId]);
  expect(await rolesOfEvents(gateway, packId)).toEqual([]);
});

test('a thousand roles may be named, and any number hold the pack, at the same few statements', async () => {
  const gateway = await start();
  const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
  const roles = await insertRoles(gateway, 3_000, packId);
  const roleIds = roles.slice(0, 1_000);
  const tooMany = await detach(gateway, { packId, roleIds: [...roleIds, missing('role')] });
  expect(tooMany).toMatchObject({
    __typename: 'ValidationFailed',
    details: { fields: { roleIds: expect.stringContaining('1000') } },
  });
  expect(await detach(gateway, { packId, roleIds })).toEqual(detached(1_000));
  const { length: before } = gateway.statements;
  expect(await detach(gateway, { packId })).toEqual(detached(2_000));
  expect(gateway.statements.length - before).toBeLessThanOrEqual(8);
  expect(await rolesOfEvents(gateway, packId)).toEqual(roles.toSorted());
});

test('attached and detached at once, a role has the pack exactly where its events say so', async () => {
  const gateway = await start();
  const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
  const roles: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) roles.push(await role(gateway, name));
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await Promise.all([
      ...roles.map((roleId) => change(gateway, 'attachPack', { roleId, packId })),
      detach(gateway, { packId }),
      detach(gateway, { packId, roleIds: roles.toReversed() }),
      ...roles.map((id) => change(gateway, 'updateAgentRole', { id, input: { packIds: [] } })),
      detach(gateway, { packId, roleIds: roles }),
    ]);
    const kinds = new Set(answers.map(({ __typename }) => __typename));
    expect([...kinds].sort()).toEqual([
      'AttachedPack',
      'DetachedPackFromRoles',
      'UpdatedAgentRole',
    ]);
  }
  const [came, went] = await Promise.all(
    ['PACK_ATTACHED', 'PACK_DETACHED'].map((type) => rolesOfEvents(gateway, packId, type)),
  );
  for (const id of roles) {
    const times = (events: string[] = []) => events.filter((roleId) => roleId === id).length;
    expect(times(came) - times(went), id).toBe((await packsOf(gateway, id)).length);
  }
});

test('detached and deleted at once, a pack is deleted or still in use, and neither call fails', async () => {
  const gateway = await start();
  for (let round = 0; round < ROUNDS; round++) {
    const packId = await insertUnmanagedPack(gateway, { name: `pack-${round}` });
    const roleId = await role(gateway, `role-${round}`, [packId]);
    const [taken, deleted] = await Promise.all([
      detach(gateway, { packId }),
      deletePack(gateway, packId),
    ]);
    expect(taken).toEqual(detached(1));
    expect(['DeletedPack', 'PackInUse']).toContain(deleted.__typename);
    expect(await packsOf(gateway, roleId)).toEqual([]);
    const last = deleted.__typename === 'DeletedPack' ? ['PACK_DELETED'] : [];
    expect(await eventsOf(gateway, packId)).toEqual(['PACK_ATTACHED', 'PACK_DETACHED', ...last]);
  }
});

test('a key without caps:write is told of its scope, and nothing of the pack', async () => {
  const gateway = await start();
  const reader = await gateway.key('READ_ONLY');
  const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
  const roleId = await role(gateway, 'on-call', [packId]);
  for (const id of [packId, missing('pack')]) {
    await expect(detach(gateway, { packId: id }, reader)).rejects.toThrow('PERMISSION_DENIED');
    const rest = await gateway.rest('POST', `/v1/packs/${id}/detach`, { key: reader });
    expect(rest).toMatchObject({ status: 403, body: { error: { code: 'permission_denied' } } });
  }
  expect(await packsOf(gateway, roleId)).toEqual([packId]);
});

test('REST detaches from the named roles, then from all, with a body or without', async () => {
  const gateway = await start();
  const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
  const path = `/v1/packs/${packId}/detach`;
  const post = (json?: unknown) => gateway.rest('POST', path, json === undefined ? {} : { json });
  const roles: string[] = [];
  for (const name of ['a', 'b', 'c']) roles.push(await role(gateway, name, [packId]));
  const some = await post({ role_ids: roles.slice(0, 1) });
  expect(some).toMatchObject({ status: 200, body: { detached: 1 } });
  expect(await post({ role_ids: [] })).toMatchObject({ status: 200, body: { detached: 0 } });
  expect(await post()).toMatchObject({ status: 200, body: { detached: 2 } });
  expect(await post({})).toMatchObject({ status: 200, body: { detached: 0 } });
  expect(await rolesOfEvents(gateway, packId)).toEqual(roles.toSorted());
});

test.each([
  ['a role that is not there', { role_ids: [missing('role')] }, 404, 'agent_role_not_found'],
  ['more than a thousand', { role_ids: Array(1_001).fill('role_x') }, 400, 'validation_error'],
  ['what is no list', { role_ids: 'role_x' }, 400, 'validation_error'],
  ['what is no text', { role_ids: [1] }, 400, 'validation_error'],
  ['a field that it does not know', { roles: [] }, 400, 'validation_error'],
])('REST refuses %s, and detaches nothing', async (_what, json, status, code) => {
  const gateway = await start();
  const packId = await insertUnmanagedPack(gateway, { name: 'triage' });
  const roleId = await role(gateway, 'on-call', [packId]);
  const answer = await gateway.rest('POST', `/v1/packs/${packId}/detach`, { json });
  expect(answer).toMatchObject({ status, body: { error: { code } } });
  expect(await packsOf(gateway, roleId)).toEqual([packId]);
});

test('REST knows no pack that is not there', async () => {
  const gateway = await start();
  const answer = await gateway.rest('POST', `/v1/packs/${missing('pack')}/detach`);
  expect(answer).toMatchObject({ status: 404, body: { error: { code: 'pack_not_found' } } });
});

/** Writes roles that hold a pack, more than one would make one by one; answers their ids. */
async function insertRoles({ app }: Gateway, count: number, packId: string): Promise<string[]> {
  const rows = await app.world.database.query<{ role_id: string }>(
    `with made as (
       insert into agent_roles (id, org_id, name, display_name, environment, created_at, updated_at)
       select gen_random_uuid(), o.id, 'role-' || n, 'role', 'DEVELOPMENT', now(), now()
       from orgs o, generate_series(1, $1) n where o.slug = 'default' returning id, org_id
     )
     insert into role_packs (role_id, pack_id, org_id, attached_at)
     select id, $2, org_id, now() from made returning role_id`,
    [count, packId.slice('pack_'.length)],
  );
  return rows.map(({ role_id }) => `role_${role_id}`);
}
