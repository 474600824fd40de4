import { describe, expect, test } from 'vitest';
import { newUuid, packIds } from '../../src/model/ids.ts';
import { samplePack } from '../support/archives.ts';
import { insertUnmanagedPack, rowOf } from '../support/deletion.ts';
import { databaseKinds, type Gateway, startGateway } from '../support/gateway.ts';
import { conformingClient } from './conforming-client.ts';

const form = (archive: Buffer | string | null, visibility?: string): FormData => {
  const parts = new FormData();
  if (typeof archive === 'string') parts.set('archive', archive);
  else if (archive !== null) {
    parts.set('archive', new File([new Uint8Array(archive)], 'pack.tar.gz'));
  }
  if (visibility !== undefined) parts.set('visibility', visibility);
  return parts;
};

const start = async () => {
  const gateway = await startGateway({ database: 'postgres' });
  return { gateway, ...(await conformingClient(gateway)) };
};

const platformPack = async (gateway: Gateway, name: string) => {
  const id = await insertUnmanagedPack(gateway, { name, visibility: 'COMMUNITY' });
  await gateway.app.world.database.query(
    'update packs set org_id = null where id = $1 and org_id = org_id',
    [id.slice('pack_'.length)],
  );
  return id;
};

describe.each(databaseKinds)('a pack over REST on %s', (database) => {
  test('is uploaded, read, shared, cloned, refused while a role holds it, and deleted', async () => {
    const gateway = await startGateway({ database });
    const { call } = await conformingClient(gateway);
    const archive = samplePack({ name: 'triage', yaml: 'suggested_packs: [one, two]\n' });
    const uploaded = await call('POST', '/v1/packs/upload', { body: form(archive) });
    expect(uploaded.status).toBe(201);
    const { id } = uploaded.body;
    expect(uploaded.body).toEqual({
      id: expect.stringMatching(/^pack_/),
      org_id: expect.stringMatching(/^org_/),
      owned: true,
      name: 'triage',
      display_name: expect.any(String),
      description: 'A pack for tests.',
      version: '1.0.0',
      tier: expect.stringMatching(/^[a-z]+$/),
      visibility: 'org',
      category: null,
      capabilities: null,
      suggested_packs: 'one,two',
      image_origin: 'upload',
      image_ref: expect.stringContaining('packs/default/triage:1.0.0'),
      image_digest: expect.stringMatching(/^sha256:/),
      size_bytes: expect.any(Number),
      status: 'active',
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect((await call('GET', `/v1/packs/${id}`)).body).toEqual(uploaded.body);
    const shared = await call('PATCH', `/v1/packs/${id}`, { json: { visibility: 'COMMUNITY' } });
    expect(shared).toMatchObject({ status: 200, body: { id, visibility: 'community' } });
    const copy = await call('POST', `/v1/packs/${id}/clone`, { json: { name: 'copy' } });
    expect(copy).toMatchObject({ status: 201, body: { name: 'copy', image_origin: 'clone' } });
    const again = await call('POST', '/v1/packs/upload', { body: form(archive) });
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'name_taken' } } });
    const unnamed = await call('POST', `/v1/packs/${id}/clone`);
    expect(unnamed).toMatchObject({ status: 409, body: { error: { code: 'name_taken' } } });

    const role = await call('POST', '/v1/agent-roles', { json: { name: 'desk', pack_ids: [id] } });
    await call('POST', `/v1/agent-roles/${role.body.id}/archive`);
    const held = await call('DELETE', `/v1/packs/${id}`);
    expect(held).toMatchObject({ status: 409, body: { error: { code: 'pack_in_use' } } });
    expect(held.body.error.details).toEqual({
      roles: [{ id: role.body.id, name: 'desk', archived: true }],
      total: 1,
      other_org_total: 0,
    });
    await call('PATCH', `/v1/agent-roles/${role.body.id}`, { json: { pack_ids: [] } });
    const deleted = await call('DELETE', `/v1/packs/${id}`);
    expect(deleted).toMatchObject({ status: 200, body: { status: 'deleted' } });
    expect(Object.keys(deleted.body)).toEqual(['status']);
    expect(await rowOf(gateway, id)).toBeUndefined();
    const gone = await call('DELETE', `/v1/packs/${id}`);
    expect(gone).toMatchObject({ status: 404, body: { error: { code: 'pack_not_found' } } });
  });
});

describe('packs over REST', () => {
  test('are made of an image that is there, and given another one', async () => {
    const { gateway, call } = await start();
    const first = await gateway.pack('source');
    // Its image stays, as one that somebody pushed.
    await gateway.app.world.database.query(
      'delete from packs where org_id = org_id and name = $1',
      ['source'],
    );
    const archive = samplePack({ name: 'source', version: '2.0.0' });
    const { id } = (await call('POST', '/v1/packs/upload', { body: form(archive) })).body;
    const json = { image_ref: first.imageRef };
    expect(await call('POST', '/v1/packs', { json })).toMatchObject({
      status: 409,
      body: { error: { code: 'name_taken' } },
    });
    expect(await call('PUT', `/v1/packs/${id}`, { json })).toMatchObject({
      status: 200,
      body: { id, version: '1.0.0', image_digest: first.imageDigest, image_origin: 'image_ref' },
    });
    await call('DELETE', `/v1/packs/${id}`);
    expect(await call('POST', '/v1/packs', { json })).toMatchObject({
      status: 201,
      body: { name: 'source', version: '1.0.0', visibility: 'org', image_origin: 'image_ref' },
    });
    const missing = await call('POST', '/v1/packs', { json: { image_ref: 'packs/default/no:1' } });
    expect(missing).toMatchObject({ status: 400, body: { error: { code: 'validation_error' } } });
    // Named as in the request, though the use-case calls it imageRef.
    expect(missing.body.error.details.fields).toEqual({ image_ref: expect.any(String) });
    expect(missing.body.error.message).toContain('image_ref:');
  });

  test('of other orgs can be read when shared, and do not show whose they are', async () => {
    const { gateway, call } = await start();
    const key = await gateway.org('neighbour');
    const hidden = await gateway.pack('hidden', { key });
    const shared = await gateway.pack('shared', { key, visibility: 'COMMUNITY' });
    const ofPlatform = await platformPack(gateway, 'platform');
    const own = await gateway.pack('own');
    const { body } = await call('GET', '/v1/packs');
    expect(body.packs.map(({ id }: { id: string }) => id)).toEqual([own.id, ofPlatform, shared.id]);
    expect(body.packs.map(({ owned }: { owned: boolean }) => owned)).toEqual([true, false, false]);
    expect(body.packs[1]).not.toHaveProperty('org_id');
    expect(body.packs[2]).not.toHaveProperty('org_id');
    for (const method of ['GET', 'DELETE']) {
      const answer = await call(method, `/v1/packs/${hidden.id}`);
      expect(answer).toMatchObject({ status: 404, body: { error: { code: 'pack_not_found' } } });
    }
    const notMine = await call('DELETE', `/v1/packs/${shared.id}`);
    expect(notMine).toMatchObject({ status: 404, body: { error: { code: 'pack_not_found' } } });
  });

  test('are listed page by page and filtered', async () => {
    const { gateway, call } = await start();
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await insertUnmanagedPack(gateway, { name });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await call('GET', `/v1/packs?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...page.body.packs.map(({ name }: { name: string }) => name));
      cursor = page.body.next_cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(names.toReversed());
    const filters = {
      'owned=true': 5,
      'owned=false': 0,
      'visibility=org': 5,
      'visibility=COMMUNITY': 0,
      'image_origin=image_ref': 5,
      'image_origin=upload': 0,
      'status=active': 5,
      'tier=verified': 0,
      'category=none': 0,
      'name_contains=C': 1,
    };
    for (const [filter, count] of Object.entries(filters)) {
      expect((await call('GET', `/v1/packs?${filter}`)).body.packs, filter).toHaveLength(count);
    }
    for (const bad of ['limit=0', 'limit=201', 'limit=x', 'cursor=x', 'tier=best', 'owned=1']) {
      const answer = await call('GET', `/v1/packs?${bad}`);
      expect(answer, bad).toMatchObject({
        status: 400,
        body: { error: { code: 'validation_error' } },
      });
      expect(Object.keys(answer.body.error.details.fields)).toEqual([bad.split('=')[0]]);
    }
  });

  test('an upload is refused for what is wrong with it', async () => {
    const { gateway, call } = await start();
    const upload = (body: FormData) => call('POST', '/v1/packs/upload', { body });
    const invalid = { status: 400, body: { error: { code: 'validation_error' } } };
    const missing = await upload(form(null, 'org'));
    expect(missing).toMatchObject(invalid);
    expect(missing.body.error.details.fields).toHaveProperty('archive');
    expect(await upload(form('no file'))).toMatchObject(invalid);
    const visibility = await upload(form(samplePack(), 'everyone'));
    expect(visibility.body.error.details.fields).toEqual({
      visibility: 'must be one of org, community',
    });
    const link = await upload(form(samplePack({ yaml: 'nonsense: [' })));
    expect(link).toMatchObject(invalid);
    expect(await upload(form(samplePack(), 'Community'))).toMatchObject({
      status: 201,
      body: { visibility: 'community' },
    });
    expect(gateway.logs.findLast(({ route }) => route === 'rest')?.operation).toBe(
      'POST /v1/packs/upload',
    );
  });

  test('an id is decoded once', async () => {
    const { call } = await start();
    const answer = await call('GET', '/v1/packs/a%2Fb%2541');
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'pack_not_found' } } });
    expect(answer.body.error.message).toContain('"a/b%41"');
  });

  test('a pack that is being deleted cannot be used', async () => {
    const { gateway, call } = await start();
    const id = await insertUnmanagedPack(gateway, { name: 'dying' });
    await gateway.app.world.database.query(
      "update packs set status = 'DELETING' where id = $1 and org_id = org_id",
      [id.slice('pack_'.length)],
    );
    const attempts = await Promise.all([
      call('PATCH', `/v1/packs/${id}`, { json: { visibility: 'community' } }),
      call('POST', `/v1/packs/${id}/clone`, { json: { name: 'late' } }),
      call('POST', '/v1/agent-roles', { json: { name: 'late', pack_ids: [id] } }),
    ]);
    for (const answer of attempts) {
      expect(answer).toMatchObject({
        status: 409,
        body: { error: { code: 'pack_being_deleted' } },
      });
      expect(answer.body.error.details).toEqual({ pack_id: id });
    }
    expect((await call('GET', `/v1/packs/${id}`)).body.status).toBe('deleting');
  });

  test('what is not there is not found, whatever is asked of it', async () => {
    const { call } = await start();
    const path = `/v1/packs/${packIds.of(newUuid())}`;
    const answers = await Promise.all([
      call('GET', path),
      call('DELETE', path),
      call('PUT', path, { json: { image_ref: 'team/thing:1' } }),
      call('PATCH', path, { json: { visibility: 'org' } }),
      call('POST', `${path}/clone`),
    ]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 404, body: { error: { code: 'pack_not_found' } } });
    }
  });
});
