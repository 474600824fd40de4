import { describe, expect, test } from 'vitest';
import { newUuid, roleIds } from '../../src/model/ids.ts';
import { insertUnmanagedPack } from '../support/deletion.ts';
import { startGateway } from '../support/gateway.ts';
import { conformingClient } from './conforming-client.ts';

const start = async () => {
  const gateway = await startGateway({ database: 'postgres' });
  return { gateway, ...(await conformingClient(gateway)) };
};

describe('agent roles over REST', () => {
  test('are made, changed field by field, archived and brought back', async () => {
    const { gateway, call } = await start();
    const older = await insertUnmanagedPack(gateway, { name: 'older' });
    const newer = await insertUnmanagedPack(gateway, { name: 'newer' });
    const made = await call('POST', '/v1/agent-roles', {
      json: { name: 'desk', environment: 'staging', pack_ids: [older, newer] },
    });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^role_/),
      name: 'desk',
      display_name: 'desk',
      description: null,
      environment: 'staging',
      archived_at: null,
      pack_ids: [newer, older],
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const path = `/v1/agent-roles/${made.body.id}`;
    expect((await call('GET', path)).body).toEqual(made.body);
    const changed = await call('PATCH', path, {
      json: { display_name: 'The Desk', environment: 'PRODUCTION', pack_ids: [older] },
    });
    expect(changed).toMatchObject({
      status: 200,
      body: {
        name: 'desk',
        display_name: 'The Desk',
        environment: 'production',
        pack_ids: [older],
      },
    });
    const archived = await call('POST', `${path}/archive`);
    expect(archived).toMatchObject({ status: 200, body: { pack_ids: [older] } });
    expect(archived.body.archived_at).not.toBeNull();
    expect((await call('GET', '/v1/agent-roles')).body.agent_roles).toEqual([]);
    const all = await call('GET', '/v1/agent-roles?include_archived=true');
    expect(all.body.agent_roles).toEqual([archived.body]);
    const back = await call('POST', `${path}/unarchive`);
    expect(back).toMatchObject({ status: 200, body: { archived_at: null } });
    const twice = await call('POST', `${path}/unarchive`);
    expect(twice).toMatchObject({ status: 409, body: { error: { code: 'not_archived' } } });
  });

  test('a page of roles ends early where they hold very many packs, and goes on behind', async () => {
    const { gateway, call } = await start();
    const roles = [];
    for (const name of ['first', 'second', 'third', 'fourth']) {
      roles.push((await call('POST', '/v1/agent-roles', { json: { name } })).body.id);
    }
    // As many calls of attachPack would be half an hour.
    await gateway.app.world.database.query(
      `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs, image_origin,
         repository, image_ref, size_bytes, status, cleanup_attempts, created_at, updated_at)
       select gen_random_uuid(), o.id, 'many-' || i, '1.0.0', 'Many', 'COMMUNITY', 'ORG', '{}', 'IMAGE_REF',
         'r', 'r:1', 1, 'ACTIVE', 0, now(), now()
       from orgs o, generate_series(1, 10500) i`,
      [],
    );
    await gateway.app.world.database.query(
      `insert into role_packs (role_id, pack_id, org_id, attached_at)
       select r.id, p.id, r.org_id, now() from agent_roles r, packs p where r.name <> 'first'`,
      [],
    );
    const pages = [];
    let cursor: string | undefined;
    do {
      const { body } = await call('GET', `/v1/agent-roles${cursor ? `?cursor=${cursor}` : ''}`);
      pages.push(
        body.agent_roles.map((role: { id: string; pack_ids: string[] }) => [
          role.id,
          role.pack_ids.length,
        ]),
      );
      cursor = body.next_cursor;
    } while (cursor !== undefined);
    const [first, second, third, fourth] = roles;
    expect(pages).toEqual([
      [
        [fourth, 10_500],
        [third, 10_500],
      ],
      [
        [second, 10_500],
        [first, 0],
      ],
    ]);
  });

  test('a change with a misspelled or a bad field changes nothing and names it', async () => {
    const { call } = await start();
    const { body: role } = await call('POST', '/v1/agent-roles', { json: { name: 'desk' } });
    const path = `/v1/agent-roles/${role.id}`;
    const misspelled = await call('PATCH', path, { json: { displayname: 'X', name: 'new' } });
    expect(misspelled).toMatchObject({
      status: 400,
      body: { error: { code: 'validation_error' } },
    });
    expect(misspelled.body.error.details.fields).toEqual({
      displayname: 'is not a field of this request',
    });
    const cased = await call('PATCH', path, { json: { displayName: 'X' } });
    expect(cased.body.error.details.fields).toEqual({
      displayName: 'is not a field of this request',
    });
    const twice = await call('PATCH', path, { json: { display_name: 'a\0'.repeat(200) } });
    expect(twice.body.error.details.fields.display_name).toMatch(
      /^must have at most 255 characters; must not contain NUL/,
    );
    const several = await call('PATCH', path, {
      json: { name: 'Bad', display_name: '', environment: 'moon', pack_ids: [1] },
    });
    expect(Object.keys(several.body.error.details.fields).sort()).toEqual([
      'display_name',
      'environment',
      'name',
      'pack_ids.0',
    ]);
    expect((await call('GET', path)).body).toEqual(role);
  });

  test('several packs that cannot be attached are named as the request names them', async () => {
    const { call } = await start();
    const answer = await call('POST', '/v1/agent-roles', {
      json: { name: 'desk', pack_ids: ['x', 'y'] },
    });
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.body.error.details.fields)).toEqual(['pack_ids.0', 'pack_ids.1']);
  });

  test('a name is given once in an org, and each org has its own', async () => {
    const { gateway, call } = await start();
    const key = await gateway.org('neighbour');
    const { body: theirs } = await call('POST', '/v1/agent-roles', { json: { name: 'desk' }, key });
    const mine = await call('POST', '/v1/agent-roles', { json: { name: 'desk' } });
    expect(mine.status).toBe(201);
    const again = await call('POST', '/v1/agent-roles', { json: { name: 'desk' } });
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'name_taken' } } });
    for (const id of [theirs.id, roleIds.of(newUuid()), 'x']) {
      for (const [method, suffix] of [
        ['GET', ''],
        ['PATCH', ''],
        ['POST', '/archive'],
        ['POST', '/unarchive'],
      ] as const) {
        const json = method === 'PATCH' ? { json: { name: 'mine' } } : {};
        const answer = await call(method, `/v1/agent-roles/${id}${suffix}`, json);
        expect(answer).toMatchObject({
          status: 404,
          body: { error: { code: 'agent_role_not_found' } },
        });
      }
    }
  });

  test('listing many roles with their packs takes two statements after the key', async () => {
    const { gateway, call } = await start();
    const pack = await insertUnmanagedPack(gateway, { name: 'shared' });
    for (const name of ['a', 'b', 'c', 'd']) {
      await call('POST', '/v1/agent-roles', { json: { name, pack_ids: [pack] } });
    }
    gateway.statements.length = 0;
    const { body } = await call('GET', '/v1/agent-roles?limit=3');
    expect(body.agent_roles.map(({ name }: { name: string }) => name)).toEqual(['d', 'c', 'b']);
    expect(gateway.statements.filter((sql) => !sql.includes('api_keys'))).toHaveLength(2);
    const rest = await call('GET', `/v1/agent-roles?limit=3&cursor=${body.next_cursor}`);
    expect(rest.body.agent_roles).toHaveLength(1);
    expect(rest.body).not.toHaveProperty('next_cursor');
  });
});

describe('the audit log over REST', () => {
  test('is read newest first, filtered and page by page, by who may', async () => {
    const { gateway, call } = await start();
    const { body: role } = await call('POST', '/v1/agent-roles', { json: { name: 'desk' } });
    const archived = await call('POST', `/v1/agent-roles/${role.id}/archive`);
    const { body } = await call('GET', '/v1/audit');
    expect(body.events.map(({ type }: { type: string }) => type)).toEqual([
      'agent_role_archived',
      'agent_role_created',
    ]);
    expect(body.events[0]).toMatchObject({
      subject_id: role.id,
      actor: expect.stringMatching(/^key_/),
      request_id: archived.headers.get('x-request-id'),
    });
    const first = await call('GET', '/v1/audit?limit=1');
    const second = await call('GET', `/v1/audit?limit=1&cursor=${first.body.next_cursor}`);
    expect([...first.body.events, ...second.body.events]).toEqual(body.events);
    expect(second.body).not.toHaveProperty('next_cursor');
    const count = async (query: string) =>
      (await call('GET', `/v1/audit?${query}`)).body.events.length;
    expect(await count('type=agent_role_archived')).toBe(1);
    expect(await count(`subject_id=${role.id}`)).toBe(2);
    expect(await count('subject_id=pack_x')).toBe(0);
    expect(await count('since=2020-01-01T00:00:00Z')).toBe(2);
    expect(await count('until=2020-01-01T00:00:00%2B02:00')).toBe(0);
    expect((await call('GET', '/v1/audit?since=yesterday')).status).toBe(400);
    const theirs = await call('GET', '/v1/audit', { key: await gateway.org('neighbour') });
    expect(theirs.body.events).toEqual([]);
    const reader = await call('GET', '/v1/audit', { key: await gateway.key('READ_ONLY') });
    expect(reader.status).toBe(200);
  });
});
