import { describe, expect, test, vi } from 'vitest';
import { change } from '../packs/changes.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { lastOf, openStreams, type Stream, streamOf, subscribe } from '../support/event-stream.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { type Json, startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';

const DELETE = deletePackDocument();
const ATTACH = 'mutation ($r: ID!, $p: ID!) { attachPack(roleId: $r, packId: $p) { __typename } }';
const DETACH = 'mutation ($r: ID!, $p: ID!) { detachPack(roleId: $r, packId: $p) { __typename } }';
const ROLE = `mutation ($name: String!) {
  createAgentRole(input: { name: $name, displayName: "R", environment: STAGING }) {
    ... on CreatedAgentRole { role { id } }
  }
}`;

const nextEvent = async (stream: Stream): Promise<Json> => (await stream.next())?.data.packEvents;

describe.each(longDatabaseKinds)('packEvents on %s', (database) => {
  test('tells the story of a pack as it happens', async () => {
    const gateway = await startGateway({ database });
    await using stream = await subscribe(gateway);
    const role = (await gateway.graphql(ROLE, { name: 'oncall' })).data.createAgentRole.role.id;
    const { id } = await gateway.pack('triage');
    expect(await nextEvent(stream)).toMatchObject({
      type: 'PACK_UPLOADED',
      packId: id,
      pack: { name: 'triage', status: 'ACTIVE', roles: { totalCount: 0 } },
      role: null,
    });
    await gateway.graphql(ATTACH, { r: role, p: id });
    // Loaded anew for each event: the pack has a role now.
    expect(await nextEvent(stream)).toMatchObject({
      type: 'PACK_ATTACHED',
      pack: { roles: { totalCount: 1 } },
      role: { id: role, name: 'oncall' },
    });
    await gateway.graphql(DETACH, { r: role, p: id });
    expect(await nextEvent(stream)).toMatchObject({ type: 'PACK_DETACHED', packId: id });
    await gateway.graphql(DELETE, { id });
    expect(await nextEvent(stream)).toMatchObject({ type: 'PACK_DELETION_STARTED', packId: id });
    expect(await nextEvent(stream)).toMatchObject({
      type: 'PACK_DELETED',
      packId: id,
      pack: null,
      requestId: expect.any(String),
    });
  });

  test('tells of a purge that failed', async () => {
    const REGISTRY_URL = 'http://127.0.0.1:1';
    const gateway = await startGateway({ database });
    const { id } = await gateway.pack('triage');
    await gateway.close();
    const environment = { ...gateway.environment, REGISTRY_URL, REGISTRY_DEADLINE_MS: '300' };
    const broken = await startGateway({ database, environment });
    await using stream = await subscribe(broken);
    await broken.graphql(DELETE, { id });
    expect(await nextEvent(stream)).toMatchObject({ type: 'PACK_DELETION_STARTED' });
    expect(await nextEvent(stream)).toMatchObject({
      type: 'PACK_CLEANUP_FAILED',
      pack: { status: 'CLEANUP_FAILED' },
    });
  });

  test('never shows an event of another org', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other');
    await using stream = await subscribe(gateway);
    await using theirs = await subscribe(gateway, { key: other });
    await gateway.pack('theirs', { key: other, visibility: 'COMMUNITY' });
    const { id } = await gateway.pack('ours');
    expect(await nextEvent(stream)).toMatchObject({ packId: id, pack: { name: 'ours' } });
    expect(await nextEvent(theirs)).toMatchObject({ pack: { name: 'theirs' } });
  });

  test('forgets a client that is gone, over a socket, by POST and by GET', async () => {
    const gateway = await startGateway({ database });
    const origin = await listening(gateway);
    // More often than it takes for the operation to be compiled.
    for (const method of ['POST', 'GET', 'POST', 'GET', 'POST', 'GET'] as const) {
      const stream = await subscribe(gateway, { origin, method });
      await openStreams(gateway, 1);
      await stream[Symbol.asyncDispose]();
      await openStreams(gateway, 0);
    }
    const ended = gateway.logs.filter(({ msg }) => msg === 'stream ended');
    expect(ended).toHaveLength(6);
    expect(ended[0]).toMatchObject({ operation: 'packEvents', events: 0, outcome: 'ok' });
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        msg: 'request',
        operation: 'subscription packEvents',
        status: 200,
      }),
    );
  });

  test('ends for a reader who falls behind, and keeps nothing for him', async () => {
    const gateway = await startGateway({ database });
    await using stream = await subscribe(gateway);
    await gateway.pack('first');
    await gateway.app.world.database.query(
      `insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
       select gen_random_uuid(), e.org_id, e.type, e.actor, e.subject_id, e.request_id, e.details, now()
       from audit_events e, generate_series(1, 1500) where e.type = 'PACK_UPLOADED' and e.org_id = e.org_id`,
      [],
    );
    await openStreams(gateway, 0);
    expect(await lastOf(stream)).toMatchObject({
      errors: [{ extensions: { code: 'RATE_LIMITED' } }],
    });
  });

  test('ends when its key is revoked', async () => {
    const gateway = await startGateway({ database });
    const key = await gateway.key('READ_ONLY');
    await using stream = await subscribe(gateway, { key });
    const { data } = await gateway.graphql('{ viewer { apiKey { id } } }', {}, key);
    const REVOKE = 'mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }';
    const revoked = await gateway.graphql(REVOKE, { id: data.viewer.apiKey.id });
    expect(revoked.data.revokeApiKey.__typename).toBe('RevokedApiKey');
    await gateway.pack('secret');
    expect(await lastOf(stream)).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) } }],
    });
  });

  test('is refused without a caller', async () => {
    const gateway = await startGateway({ database });
    const response = await streamOf(gateway, { key: null });
    expect(response.status).toBe(401);
    expect((await response.json()).errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });
});

describe('packEvents on several replicas', () => {
  test('leaves nothing behind when its key is revoked while it is being opened', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const key = await gateway.key('READ_ONLY');
    const { data } = await gateway.graphql('{ viewer { apiKey { id } } }', {}, key);
    const { events } = gateway.app;
    const follow = events.follow.bind(events);
    vi.spyOn(events, 'follow').mockImplementation(async (caller, follower) => {
      await change(gateway, 'revokeApiKey', { id: data.viewer.apiKey.id });
      return follow(caller, follower);
    });
    await using stream = await subscribe(gateway, { key });
    expect(await lastOf(stream)).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    await openStreams(gateway, 0);
  });

  test('hears what another replica did', async () => {
    const one = await startGateway({ database: 'postgres' });
    const two = await startGateway({ environment: one.environment });
    await using stream = await subscribe(one);
    const { id } = await two.pack('triage');
    expect(await nextEvent(stream)).toMatchObject({ type: 'PACK_UPLOADED', packId: id });
  });

  test('ends the stream with an error when the database is lost, and works again afterwards', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    await using stream = await subscribe(gateway);
    await gateway.app.world.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'pack-gateway events' and datname = current_database()`,
      [],
    );
    expect(await lastOf(stream)).toMatchObject({
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
    await openStreams(gateway, 0);
    await using again = await subscribe(gateway);
    const { id } = await gateway.pack('triage');
    expect(await nextEvent(again)).toMatchObject({ packId: id });
  });

  test('a process that is stopped ends its streams and exits at once', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const server = await startServer(gateway.environment);
    const stream = await subscribe(gateway, { origin: server.url });
    const startedAt = performance.now();
    server.interrupt();
    expect(await lastOf(stream)).toMatchObject({
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
    expect(await server.exited).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('is refused behind a pooler that would hear nothing', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const DATABASE_URL = `${gateway.environment.DATABASE_URL}?pgbouncer=true`;
    const pooled = await startGateway({ environment: { ...gateway.environment, DATABASE_URL } });
    expect(await (await streamOf(pooled)).text()).toContain('SERVICE_UNAVAILABLE');
  });

  test('nobody announces anything while nobody watches', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    await gateway.pack('triage');
    const { database } = gateway.app.world;
    const listeners = 'select org_id from event_listeners where org_id is not null';
    expect(await database.query(listeners, [])).toEqual([]);
    await using _stream = await subscribe(gateway, { key: OWNER_KEY });
    expect(await database.query(listeners, [])).toHaveLength(1);
  });
});

describe('what a subscriber chooses to hear', () => {
  const packs =
    'subscription ($packId: ID, $types: [AuditEventType!]) { packEvents(packId: $packId, types: $types) { type packId } }';
  const roles =
    'subscription ($roleId: ID, $types: [AuditEventType!]) { roleEvents(roleId: $roleId, types: $types) { auditEventId type roleId role { name archivedAt } packId pack { name } } }';
  const roleEvent = async (stream: Stream) => (await stream.next())?.data.roleEvents;

  test('is one pack, types of events, or both', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const one = await gateway.pack('one');
    const two = await gateway.pack('two');
    const variables = { packId: one.id, types: ['PACK_DELETED', 'PACK_ATTACHED'] };
    await using both = await subscribe(gateway, { query: packs, variables });
    await using ofPack = await subscribe(gateway, { query: packs, variables: { packId: one.id } });
    const role = (await gateway.graphql(ROLE, { name: 'oncall' })).data.createAgentRole.role.id;
    await gateway.graphql(ATTACH, { r: role, p: two.id });
    await gateway.graphql(DETACH, { r: role, p: two.id });
    await gateway.graphql(DELETE, { id: two.id });
    await gateway.graphql(DELETE, { id: one.id });
    const started = { type: 'PACK_DELETION_STARTED', packId: one.id };
    const deleted = { type: 'PACK_DELETED', packId: one.id };
    expect(await nextEvent(both)).toEqual(deleted);
    expect([await nextEvent(ofPack), await nextEvent(ofPack)]).toEqual([started, deleted]);
  });

  test('is what happens to roles, or to one of them', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const other = await gateway.org('other');
    await using all = await subscribe(gateway, { query: roles });
    await using theirs = await subscribe(gateway, { query: roles, key: other });
    const roleId = (await gateway.graphql(ROLE, { name: 'one' })).data.createAgentRole.role.id;
    const created = { type: 'AGENT_ROLE_CREATED', packId: null, pack: null };
    expect(await roleEvent(all)).toMatchObject({ ...created, roleId, role: { name: 'one' } });
    await using ofOne = await subscribe(gateway, { query: roles, variables: { roleId } });
    await gateway.graphql(ROLE, { name: 'two' });
    const { id: packId } = await gateway.pack('triage');
    await change(gateway, 'updateAgentRole', { id: roleId, input: { displayName: 'First' } });
    await change(gateway, 'attachPack', { roleId, packId });
    await change(gateway, 'detachPack', { roleId, packId });
    await change(gateway, 'archiveAgentRole', { id: roleId });
    await change(gateway, 'unarchiveAgentRole', { id: roleId });
    expect(await roleEvent(all)).toMatchObject({ ...created, role: { name: 'two' } });
    for (const stream of [all, ofOne]) {
      expect(await roleEvent(stream)).toMatchObject({ type: 'AGENT_ROLE_UPDATED', roleId });
      const attached = { roleId, packId, pack: { name: 'triage' } };
      expect(await roleEvent(stream)).toMatchObject({ ...attached, type: 'PACK_ATTACHED' });
      expect(await roleEvent(stream)).toMatchObject({ ...attached, type: 'PACK_DETACHED' });
      expect(await roleEvent(stream)).toMatchObject({ type: 'AGENT_ROLE_ARCHIVED', roleId });
      expect(await roleEvent(stream)).toMatchObject({ type: 'AGENT_ROLE_UNARCHIVED', roleId });
    }
    await gateway.graphql(ROLE, { name: 'theirs' }, other);
    expect(await roleEvent(theirs)).toMatchObject({ ...created, role: { name: 'theirs' } });
  });

  test('is refused where it could never come', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const other = await gateway.org('other');
    const foreign = await gateway.pack('foreign', { key: other });
    const theirRole = (await gateway.graphql(ROLE, { name: 'r' }, other)).data.createAgentRole.role
      .id;
    const refused: [string, object][] = [
      [packs, { packId: 'pack_none' }],
      [packs, { packId: foreign.id }],
      [packs, { types: ['API_KEY_CREATED'] }],
      [packs, { types: [] }],
      [roles, { roleId: 'role_none' }],
      [roles, { roleId: theirRole }],
      [roles, { types: ['PACK_DELETED'] }],
    ];
    for (const [query, variables] of refused) {
      await using stream = await subscribe(gateway, { query, variables });
      expect(await lastOf(stream), JSON.stringify(variables)).toMatchObject({
        errors: [{ extensions: { code: 'BAD_REQUEST' } }],
      });
    }
    await openStreams(gateway, 0);
    const community = await gateway.pack('shared', { key: other, visibility: 'COMMUNITY' });
    await using stream = await subscribe(gateway, {
      query: packs,
      variables: { packId: community.id },
    });
    const role = (await gateway.graphql(ROLE, { name: 'oncall' })).data.createAgentRole.role.id;
    await gateway.graphql(ATTACH, { r: role, p: community.id });
    expect(await nextEvent(stream)).toEqual({ type: 'PACK_ATTACHED', packId: community.id });
  });
});
