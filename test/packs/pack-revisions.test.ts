import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Deadline } from '../../src/registry/distribution/deadline.ts';
import { gzipped, samplePack, samplePackEntries, tarOf } from '../support/archives.ts';
import { consistencyFindings } from '../support/consistency-findings.ts';
import { isPullable, role, rowOf } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { imageOf } from '../support/layers.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';
import { change, events, packImage, pulls, pushImage } from './changes.ts';

const PLACE = 'packs/default/triage';

/** Sends bytes or an archive to a path of REST. */
async function send(
  gateway: Gateway,
  method: string,
  path: string,
  body: string | Buffer | FormData | null = null,
  headers: Record<string, string> = {},
) {
  const response = await gateway.app.fetch(
    new Request(`http://gateway/v1/packs/${path}`, {
      method,
      headers: { authorization: `Bearer ${OWNER_KEY}`, ...headers },
      body: Buffer.isBuffer(body) ? new Uint8Array(body) : body,
    }),
  );
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type') === 'application/json';
  const json: Json = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : null;
  return { status: response.status, headers: response.headers, bytes, json };
}

const archiveForm = (archive: Buffer) => {
  const form = new FormData();
  form.set('archive', new File([new Uint8Array(archive)], 'pack.tar.gz'));
  return form;
};
const replaceArchive = (gateway: Gateway, id: string, archive: Buffer, headers = {}) =>
  send(gateway, 'PUT', `${id}/archive`, archiveForm(archive), headers);

const types = async (gateway: Gateway) => (await events(gateway)).map(({ type }) => type);
const orphans = (gateway: Gateway) => consistencyFindings(gateway.app.world);

describe.each(deployments)(
  'changes of what is in a pack on $database with $registry',
  (deployment) => {
    const start = async () =>
      startGateway({
        database: deployment.database,
        environment: await registryEnvironment(deployment.registry),
      });

    test('the next version comes as an archive; id, attachments and visibility stay', async () => {
      const gateway = await start();
      const before = await gateway.pack('triage', { visibility: 'COMMUNITY' });
      const roleId = await role(gateway, 'on-call', [before.id]);
      const next = samplePack({ name: 'triage', version: '1.5.0', description: 'The next one.' });
      const { status, json } = await replaceArchive(gateway, before.id, next);
      expect(status, JSON.stringify(json)).toBe(200);
      expect(json).toMatchObject({
        id: before.id,
        version: '1.5.0',
        description: 'The next one.',
        visibility: 'community',
        image_origin: 'upload',
      });
      expect(json.image_ref).toMatch(/packs\/default\/triage:1\.5\.0$/);
      expect(await pulls(gateway, PLACE, json.image_digest)).toBe(true);
      expect(await pulls(gateway, PLACE, '1.5.0')).toBe(true);
      expect(await pulls(gateway, PLACE, before.imageDigest)).toBe(false);
      expect(await pulls(gateway, PLACE, '1.0.0')).toBe(false);
      const { data } = await gateway.graphql(
        '{ agentRoles { nodes { id packs { nodes { id version } } } } }',
      );
      expect(data.agentRoles.nodes).toEqual([
        { id: roleId, packs: { nodes: [{ id: before.id, version: '1.5.0' }] } },
      ]);
      // The same again changes nothing.
      expect((await replaceArchive(gateway, before.id, next)).json).toEqual(json);
      expect((await types(gateway)).filter((type) => type.startsWith('PACK_'))).toEqual([
        'PACK_UPLOADED',
        'PACK_ATTACHED',
        'PACK_ARCHIVE_REPLACED',
      ]);
      expect(await orphans(gateway)).toEqual([]);

      const other = await replaceArchive(gateway, before.id, samplePack({ name: 'other' }));
      expect(other).toMatchObject({ status: 400, json: { error: { code: 'validation_error' } } });
      expect(Object.keys(other.json.error.details.fields)).toEqual(['pack.yaml.name']);
      const stale = await replaceArchive(gateway, before.id, samplePack({ name: 'triage' }), {
        'if-match': '"stale"',
      });
      expect(stale).toMatchObject({
        status: 412,
        json: { error: { code: 'precondition_failed' } },
      });
      const any = await replaceArchive(gateway, before.id, next, { 'if-match': '*' });
      expect(any.status).toBe(200);
      const none = await replaceArchive(gateway, before.id, next, { 'if-none-match': '*' });
      expect(none.status).toBe(412);
    });

    test('files are read, changed, added and deleted one by one; the version stays', async () => {
      const gateway = await start();
      const { id, imageDigest } = await gateway.pack('triage');
      const read = await send(gateway, 'GET', `${id}/files/guides/start.md`);
      expect(read.bytes.toString()).toBe('# Start\n');
      const etag = read.headers.get('etag') ?? '';
      expect(Object.fromEntries(read.headers)).toMatchObject({
        'content-type': 'text/markdown; charset=utf-8',
        'content-length': '8',
        'content-disposition': 'attachment; filename=start.md',
        'x-content-type-options': 'nosniff',
      });
      const known = await send(gateway, 'GET', `${id}/files/guides/start.md`, null, {
        'if-none-match': `"x", W/${etag}`,
      });
      expect(known).toMatchObject({ status: 304, bytes: Buffer.alloc(0) });
      const head = await send(gateway, 'HEAD', `${id}/files/guides/start.md`);
      expect(head.headers.get('content-length')).toBe('8');
      expect(head.bytes).toHaveLength(0);

      const path = `${id}/files/guides/start.md`;
      const changed = await send(gateway, 'PUT', path, '# Begin\n', { 'if-match': etag });
      expect(changed.status, JSON.stringify(changed.json)).toBe(200);
      expect(changed.json.version).toBe('1.0.0');
      expect(await pulls(gateway, PLACE, '1.0.0')).toBe(true);
      expect(await pulls(gateway, PLACE, imageDigest)).toBe(false);
      expect((await send(gateway, 'PUT', path, 'x', { 'if-match': etag })).status).toBe(412);
      expect((await send(gateway, 'PUT', path, 'x', { 'if-none-match': '*' })).status).toBe(412);
      const part = await send(gateway, 'PUT', path, 'x', { 'content-range': 'bytes 0-0/1' });
      expect(part.status).toBe(400);
      const absent = await send(gateway, 'PUT', `${id}/files/data/no`, '', { 'if-match': '*' });
      expect(absent.status).toBe(412);
      const pack = { 'if-match': changed.headers.get('etag') ?? '' };
      const added = await send(gateway, 'PUT', `${id}/files/data/new%20file.json`, '{}', {
        ...pack,
        'if-none-match': '*',
      });
      expect(added.status).toBe(200);
      expect((await send(gateway, 'PUT', `${id}/files/data/x`, '', pack)).status).toBe(412);
      const run = await send(gateway, 'PUT', `${id}/files/scripts/run.sh`, '#!/bin/bash\n');
      expect(run.status).toBe(200);
      expect((await send(gateway, 'DELETE', `${id}/files/behavior.md`)).status).toBe(200);
      expect((await send(gateway, 'GET', `${id}/files`)).json.files).toEqual([
        { path: 'data/new file.json', size: 2, media_type: 'application/json', executable: false },
        { path: 'guides/start.md', size: 8, media_type: 'text/markdown', executable: false },
        { path: 'pack.yaml', size: expect.any(Number), media_type: 'text/yaml', executable: false },
        { path: 'scripts/run.sh', size: 12, media_type: 'application/x-sh', executable: true },
      ]);
      expect(await types(gateway)).toEqual([
        'PACK_UPLOADED',
        'PACK_FILE_REPLACED',
        'PACK_FILE_REPLACED',
        'PACK_FILE_REPLACED',
        'PACK_FILE_DELETED',
      ]);
      expect(await orphans(gateway)).toEqual([]);
      for (const [method, file, status, code] of [
        ['GET', 'none.md', 404, 'pack_file_not_found'],
        ['DELETE', 'none.md', 404, 'pack_file_not_found'],
        ['DELETE', 'pack.yaml', 400, 'validation_error'],
        ['PUT', 'elsewhere.md', 400, 'validation_error'],
        ['PUT', 'guides', 400, 'validation_error'],
        ['PUT', 'guides/.wh.start.md', 400, 'validation_error'],
        ['PUT', 'guides/.DS_Store', 400, 'validation_error'],
        ['PUT', 'pack.yaml', 400, 'validation_error'],
      ] as const) {
        const answer = await send(
          gateway,
          method,
          `${id}/files/${file}`,
          method === 'PUT' ? 'x' : null,
        );
        expect([answer.status, answer.json?.error.code], `${method} ${file}`).toEqual([
          status,
          code,
        ]);
      }
      const yaml = 'name: triage\nversion: 1.1.0\ndescription: x\n';
      const version = await send(gateway, 'PUT', `${id}/files/pack.yaml`, yaml);
      expect(Object.keys(version.json.error.details.fields)).toEqual(['pack.yaml.version']);
    });

    test('an archive that was downloaded gives the same image again', async () => {
      const gateway = await start();
      const { id, imageDigest } = await gateway.pack('triage');
      const archive = await send(gateway, 'GET', `${id}/archive`);
      expect(archive.headers.get('content-disposition')).toContain('triage-1.0.0.tar.gz');
      expect(archive.headers.get('content-length')).toBe(String(archive.bytes.length));
      await change(gateway, 'deletePack', { id });
      expect((await gateway.upload(archive.bytes)).pack.imageDigest).toBe(imageDigest);
      // One that another tool built is made into an archive.
      await pushImage(gateway, 'team/built', 'v1', packImage({ name: 'built' }));
      const built = await change(gateway, 'createPackFromImage', { imageRef: 'team/built:v1' });
      const made = await send(gateway, 'GET', `${built.pack.id}/archive`);
      await change(gateway, 'deletePack', { id: built.pack.id });
      const again = await gateway.upload(made.bytes);
      const direct = await gateway.org('globex');
      expect(
        (await gateway.upload(samplePack({ name: 'built' }), { key: direct })).pack.imageDigest,
      ).toBe(again.pack.imageDigest);
    });

    test('two changes at once both happen, and an image that another pack holds is kept', async () => {
      const gateway = await start();
      const { id, imageDigest } = await gateway.pack('triage');
      await gateway.app.world.database.query(
        `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs, image_origin,
         repository, image_ref, image_digest, size_bytes, status, cleanup_attempts, created_at, updated_at)
       select gen_random_uuid(), org_id, 'holder', version, 'holder', tier, visibility, '{}', 'IMAGE_REF',
         repository, image_ref, image_digest, size_bytes, status, 0, now(), now()
       from packs where id = $1 and org_id is not null`,
        [id.slice('pack_'.length)],
      );
      const names = ['a', 'b', 'c'];
      const answers = await Promise.all(
        names.map((name) => send(gateway, 'PUT', `${id}/files/guides/${name}.md`, name)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      const { files } = (await send(gateway, 'GET', `${id}/files?under=guides`)).json;
      expect(files.map(({ path }: { path: string }) => path)).toEqual([
        'guides/a.md',
        'guides/b.md',
        'guides/c.md',
        'guides/start.md',
      ]);
      expect(await pulls(gateway, PLACE, imageDigest)).toBe(true);
      expect(await orphans(gateway)).toEqual([]);
    });

    test('only packs that were uploaded here are changed, and file by file only those of the org', async () => {
      const gateway = await start();
      await pushImage(gateway, 'team/triage', 'v1', packImage({ name: 'imported' }));
      const { pack } = await change(gateway, 'createPackFromImage', { imageRef: 'team/triage:v1' });
      const uploaded = await gateway.pack('verified');
      await gateway.app.world.database.query(
        "update packs set tier = 'VERIFIED' where id = $1 and org_id is not null",
        [uploaded.id.slice('pack_'.length)],
      );
      const refused = { status: 409, json: { error: { code: 'pack_not_editable' } } };
      const archive = samplePack({ name: 'imported' });
      expect(await replaceArchive(gateway, pack.id, archive)).toMatchObject(refused);
      expect(await send(gateway, 'PUT', `${pack.id}/files/data/x`, 'x')).toMatchObject(refused);
      expect(await send(gateway, 'DELETE', `${uploaded.id}/files/behavior.md`)).toMatchObject(
        refused,
      );
      const next = samplePack({ name: 'verified', version: '2.0.0' });
      expect((await replaceArchive(gateway, uploaded.id, next)).status).toBe(200);
    });
  },
);

describe.skipIf(!installed('docker-registry'))('where the registry fails', () => {
  const gated = async () => {
    const docker = await emptyDockerRegistry();
    const gate = await startGate(docker.url);
    const gateway = await startGateway({
      environment: { REGISTRY_URL: gate.url, REGISTRY_DEADLINE_MS: '3000' },
    });
    return { gate, gateway };
  };

  test.each<[string, RegExp]>([
    ['reading the image', /^GET .*\/blobs\//],
    ['tagging the old image', /^PUT .*\/manifests\/replaced-/],
    ['uploading the layer', /^(POST|PATCH|PUT) .*\/blobs\/uploads/],
    ['pushing the manifest', /^PUT .*\/manifests\/1\.0\.0/],
  ])('at %s, nothing is changed and a later try succeeds', async (_moment, request) => {
    const { gate, gateway } = await gated();
    const { id, imageDigest } = await gateway.pack('triage');
    gate.refuse({ request, status: 503 });
    // The tries are made, and nobody waits between them.
    const pauses = vi.spyOn(Deadline.prototype, 'sleep').mockResolvedValue();
    onTestFinished(() => pauses.mockRestore());
    const failed = await send(gateway, 'PUT', `${id}/files/data/x`, 'x');
    expect(failed).toMatchObject({
      status: 502,
      json: { error: { code: 'registry_unavailable' } },
    });
    pauses.mockRestore();
    gate.refuse(undefined);
    const row = await rowOf(gateway, id);
    expect(row?.image_digest).toBe(imageDigest);
    expect(row && (await isPullable(gateway, row))).toBe(true);
    expect(await pulls(gateway, PLACE, '1.0.0')).toBe(true);
    const retried = await send(gateway, 'PUT', `${id}/files/data/x`, 'x');
    expect(retried.status, JSON.stringify(retried.json)).toBe(200);
    expect(await types(gateway)).toEqual(['PACK_UPLOADED', 'PACK_FILE_REPLACED']);
    expect(await orphans(gateway)).toEqual([]);
  });

  test('at the purge, the change stands and the consistency check names what is left', async () => {
    const { gate, gateway } = await gated();
    const { id, imageDigest } = await gateway.pack('triage');
    const body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED' }] });
    const headers = { 'content-type': 'application/json' };
    gate.refuse({ request: /^DELETE /, status: 405, headers, body });
    const changed = await send(gateway, 'PUT', `${id}/files/data/x`, 'x');
    expect(changed.status).toBe(200);
    expect(await orphans(gateway)).toMatchObject([
      { invariant: 'orphaned_image', subject: expect.stringContaining(imageDigest) },
    ]);
    gate.refuse(undefined);
  });
});

test('the bytes of a large file are the same, in both directions', async () => {
  const gateway = await startGateway();
  const { id } = await gateway.pack('triage');
  const bytes = Buffer.alloc(3_000_001, createHash('sha256').update('x').digest());
  expect((await send(gateway, 'PUT', `${id}/files/data/large.bin`, bytes)).status).toBe(200);
  const read = await send(gateway, 'GET', `${id}/files/data/large.bin`);
  expect(read.bytes.equals(bytes)).toBe(true);
  expect(read.headers.get('content-type')).toBe('application/octet-stream');
});

test('a pack that one more file makes too large stays as it is, compressed or unpacked', async () => {
  const gateway = await startGateway({ environment: { MAX_ARCHIVE_BYTES: '100000' } });
  const put = (id: string, name: string, bytes: Buffer) =>
    send(gateway, 'PUT', `${id}/files/data/${name}`, bytes);
  const noise = await gateway.pack('noise');
  expect((await put(noise.id, '1', randomBytes(60_000))).status).toBe(200);
  const compressed = await put(noise.id, '2', randomBytes(60_000));
  expect(compressed).toMatchObject({
    status: 400,
    json: { error: { details: { fields: { archive: 'is larger than 100000 bytes' } } } },
  });
  const zeros = await gateway.pack('zeros');
  for (const name of ['1', '2', '3', '4']) {
    expect((await put(zeros.id, name, Buffer.alloc(90_000))).status).toBe(200);
  }
  const unpacked = await put(zeros.id, '5', Buffer.alloc(90_000));
  expect(unpacked).toMatchObject({
    status: 400,
    json: {
      error: { details: { fields: { 'archive/data/5': expect.stringContaining('400000') } } },
    },
  });
  for (const [{ id }, files] of [
    [noise, 5],
    [zeros, 8],
  ] as const) {
    expect((await send(gateway, 'GET', `${id}/files`)).json.files).toHaveLength(files);
  }
  expect(await orphans(gateway)).toEqual([]);
});

describe('whatever may be uploaded', () => {
  test('however full, can be read, edited and imported', async () => {
    const gateway = await startGateway({ environment: { MAX_ARCHIVE_BYTES: '100000' } });
    const full = (name: string) => {
      const entries = samplePackEntries({ name });
      const used = entries.reduce((sum, { content = '' }) => sum + content.length, 0);
      const zeros = { name: 'data/zeros', content: Buffer.alloc(400_000 - used) };
      return gzipped(tarOf([...entries, zeros]));
    };
    const { pack } = await gateway.upload(full('full'));
    const list = await send(gateway, 'GET', `${pack.id}/files`);
    expect(list.json.files, JSON.stringify(list.json)).toHaveLength(5);
    await pushImage(gateway, 'team/other', 'v1', imageOf([full('other')]));
    const imported = await change(gateway, 'createPackFromImage', { imageRef: 'team/other:v1' });
    expect(imported).toMatchObject({ __typename: 'CreatedPack' });
    expect((await send(gateway, 'DELETE', `${pack.id}/files/data/zeros`)).status).toBe(200);
  });

  test('of however many and long names, can be read, edited and uploaded again', async () => {
    const gateway = await startGateway();
    const directory = `data/${'d'.repeat(145)}`;
    // As no tool has to name them, these archives have no entries for their directories.
    const named = (name: string) => samplePackEntries({ name }).filter(({ type }) => type !== '5');
    const long = Array.from({ length: 9_900 }, (_, at) => [
      { name: 'L', type: 'L', content: `${directory}/${String(at).padStart(240, 'x')}` },
      { name: 'x' },
    ]);
    const apart = Array.from({ length: 9_996 }, (_, at) => ({ name: `data/${at}/x` }));
    for (const [name, more, count] of [
      ['long', long.flat(), 9_904],
      ['apart', apart, 10_000],
    ] as const) {
      const uploaded = await gateway.upload(gzipped(tarOf([...named(name), ...more]), 1));
      expect(uploaded, name).toMatchObject({ __typename: 'UploadedPack' });
      const { id, imageDigest } = uploaded.pack;
      const query = 'query ($id: ID!) { pack(id: $id) { files(first: 1) { totalCount } } }';
      const { data, errors } = await gateway.graphql(query, { id });
      expect(data.pack.files?.totalCount, JSON.stringify(errors)).toBe(count);
      const { bytes } = await send(gateway, 'GET', `${id}/archive`);
      const again = await replaceArchive(gateway, id, bytes);
      expect(again.json, name).toMatchObject({ image_digest: imageDigest });
      expect((await send(gateway, 'PUT', `${id}/files/behavior.md`, 'x')).status, name).toBe(200);
    }
  });
});
