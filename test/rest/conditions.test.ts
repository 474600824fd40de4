/** What a caller expects of a pack that he changes: If-Match and If-None-Match (RFC 9110, 13.1). */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventsOf, insertUnmanagedPack, rowOf } from '../support/deletion.ts';
import { databaseKinds, type Gateway, startGateway } from '../support/gateway.ts';
import { somebodyWaits } from '../support/somebody-waits.ts';
import { conformingClient } from './conforming-client.ts';

const stale = { status: 412, body: { error: { code: 'precondition_failed' } } };

async function start(database: 'postgres' | 'embedded') {
  const gateway = await startGateway({ database });
  const { call } = await conformingClient(gateway);
  const etagOf = async (id: string) =>
    (await call('GET', `/v1/packs/${id}`)).headers.get('etag') ?? '';
  return { gateway, call, etagOf };
}

const kinds = {
  uploaded: async (gateway: Gateway) => String((await gateway.pack('triage')).id),
  'made of an image': (gateway: Gateway) => insertUnmanagedPack(gateway, { name: 'triage' }),
};

describe.each(databaseKinds)('a change of a pack on %s', (database) => {
  test.each(Object.keys(kinds) as (keyof typeof kinds)[])(
    'that was %s is made only while the pack is as If-Match says',
    async (kind) => {
      const { gateway, call, etagOf } = await start(database);
      const id = await kinds[kind](gateway);
      const path = `/v1/packs/${id}`;
      const read = await etagOf(id);
      const share = (visibility: string, headers: Record<string, string>) =>
        call('PATCH', path, { json: { visibility }, headers });
      const shared = await share('community', { 'if-match': `"other", ${read}` });
      expect(shared).toMatchObject({ status: 200, body: { visibility: 'community' } });
      const { headers, body } = shared;
      const events = await eventsOf(gateway, id);

      expect(await share('org', { 'if-match': read })).toMatchObject(stale);
      expect(await share('community', { 'if-match': read })).toMatchObject(stale);
      expect(await share('org', { 'if-none-match': '*' })).toMatchObject(stale);
      expect(await call('DELETE', path, { headers: { 'if-match': read } })).toMatchObject(stale);
      expect((await call('GET', path)).body).toEqual(body);
      expect(await eventsOf(gateway, id)).toEqual(events);

      const now = { 'if-match': headers.get('etag') ?? '' };
      expect(await call('DELETE', path, { headers: now })).toMatchObject({ status: 200 });
      expect(await call('DELETE', path, { headers: now })).toMatchObject({ status: 404 });
    },
  );

  test('with an ETag that a proxy has weakened is refused with what to do', async () => {
    const { gateway, call, etagOf } = await start(database);
    const { id } = await gateway.pack('triage');
    const read = await etagOf(id);
    const share = (headers: Record<string, string>) =>
      call('PATCH', `/v1/packs/${id}`, { json: { visibility: 'community' }, headers });
    const weak = await share({ 'if-match': `W/"other", W/${read}` });
    expect(weak).toMatchObject(stale);
    expect(weak.body.error.message).toContain('leave its W/ out');
    const other = await share({ 'if-match': 'W/"other"' });
    expect(other.body.error.message).toContain('read it again');
    expect(await share({ 'if-none-match': `W/${read}` })).toMatchObject(stale);
    expect(await share({ 'if-match': read })).toMatchObject({ status: 200 });
  });

  test('to another image leaves the pack, and its repository free, where it has changed', async () => {
    const { gateway, call, etagOf } = await start(database);
    const { id, imageRef } = await gateway.pack('triage');
    const path = `/v1/packs/${id}`;
    const read = await etagOf(id);
    await call('PATCH', path, { json: { visibility: 'community' } });
    const json = { image_ref: imageRef };
    expect(await call('PUT', path, { json, headers: { 'if-match': read } })).toMatchObject(stale);
    const now = { 'if-match': await etagOf(id) };
    expect(await call('PUT', path, { json, headers: now })).toMatchObject({ status: 200 });
  });

  test('a condition that is not checked is refused by its name', async () => {
    const { gateway, call } = await start(database);
    const { id } = await gateway.pack('triage');
    for (const name of ['If-Match', 'If-None-Match']) {
      const headers = { [name]: '*' };
      const answers = [
        await call('POST', `/v1/packs/${id}/clone`, { json: { name: 'copy' }, headers }),
        await call('POST', '/v1/agent-roles', { json: { name: 'desk' }, headers }),
        await call('POST', `/v1/packs/${id}/detach`, { headers }),
      ];
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } });
        expect(answer.body.error.message).toContain(name);
      }
    }
    expect((await call('GET', '/v1/agent-roles')).body.agent_roles).toEqual([]);
  });
});

test.each(Object.keys(kinds) as (keyof typeof kinds)[])(
  'a pack that was %s and changes while its deletion waits for its row is kept',
  async (kind) => {
    const { gateway, call, etagOf } = await start('postgres');
    const id = await kinds[kind](gateway);
    const headers = { 'if-match': await etagOf(id) };
    const other = new pg.Client({ connectionString: gateway.environment.DATABASE_URL });
    await other.connect();
    onTestFinished(() => other.end());
    await other.query('begin');
    await other.query("update packs set description = 'Changed.', updated_at = now() + '1 s'");
    gateway.statements.length = 0;
    const deleted = call('DELETE', `/v1/packs/${id}`, { headers });
    if (kind === 'uploaded') await somebodyWaits(gateway);
    // Nothing is waited for: it looks again and again.
    else while (!gateway.statements.some((sql) => sql.includes('skip locked'))) await pause(10);
    await other.query('commit');
    expect(await deleted).toMatchObject(stale);
    expect(await rowOf(gateway, id)).toMatchObject({ status: 'ACTIVE' });
  },
);
