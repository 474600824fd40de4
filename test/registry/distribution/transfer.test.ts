import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Deadline } from '../../../src/registry/distribution/deadline.ts';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import type { Descriptor, Image, Registry, RegistryCall } from '../../../src/registry/registry.ts';
import {
  credentials,
  type DockerRegistry,
  startDockerRegistry,
} from '../../support/docker-registry.ts';
import {
  type Reply,
  registryError,
  type Script,
  startHostileRegistry,
} from '../../support/hostile-registry.ts';
import { installed } from '../../support/installed.ts';
import { blobOf, digestOf, imageOf, MANIFEST, repository, tag } from './images.ts';

const name = repository('packs/acme/transfer');
const retryable = { kind: 'failed', reason: 'REGISTRY_ERROR', retryable: true };
const permanent = { kind: 'failed', reason: 'REGISTRY_ERROR', retryable: false };

async function layerOf(registry: Registry, { blobs }: Image): Promise<Buffer> {
  const outcome = await registry.readBlob(name, blobs[1]?.descriptor ?? missing);
  if (outcome.kind !== 'found') throw new Error(outcome.kind);
  return Buffer.concat(await outcome.content.toArray());
}
const missing: Descriptor = { mediaType: 'x/y', digest: digestOf('nothing'), size: 7 };

describe.skipIf(!installed('docker-registry'))('with docker-registry', () => {
  let docker: DockerRegistry;
  let registry: Registry;
  const calls: RegistryCall[] = [];
  beforeAll(async () => {
    docker = await startDockerRegistry();
    registry = createDistributionRegistry({
      url: docker.url,
      deadlineMs: 5_000,
      onCall: (call) => calls.push(call),
    });
  });
  afterAll(async () => {
    await registry.close();
    await docker.stop();
  });

  it('what was pushed is read back by tag and by digest', async () => {
    const image = imageOf(randomBytes(3_000_000));
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    for (const reference of [tag('v1'), image.descriptor.digest]) {
      const read = await registry.readManifest(name, reference);
      expect(read).toMatchObject({ kind: 'found', descriptor: image.descriptor });
      if (read.kind === 'found') expect(Buffer.compare(read.manifest, image.manifest)).toBe(0);
    }
    expect(digestOf(await layerOf(registry, image))).toBe(image.blobs[1]?.descriptor.digest);
  });

  it('blobs that are there are not sent again', async () => {
    const image = imageOf('pushed twice');
    calls.length = 0;
    await registry.push(name, tag('v2'), image);
    expect(calls).toHaveLength(7);
    calls.length = 0;
    await registry.push(name, tag('v3'), image);
    expect(calls.map(({ operation }) => operation)).toEqual([
      'HEAD blob',
      'HEAD blob',
      'PUT manifest',
    ]);
  });

  it('many pushes at once all arrive', async () => {
    const images = Array.from({ length: 8 }, (_, at) => imageOf(`concurrent ${at}`));
    const pushes = images.map((image, at) => registry.push(name, tag(`c${at}`), image));
    expect(new Set((await Promise.all(pushes)).map(({ kind }) => kind))).toEqual(
      new Set(['pushed']),
    );
  });

  it('what is not there is missing', async () => {
    expect(await registry.readManifest(name, tag('nowhere'))).toEqual({ kind: 'missing' });
    expect(await registry.readBlob(name, missing)).toEqual({ kind: 'missing' });
  });

  it('a reader that stops half-way leaves nothing hanging', async () => {
    const image = imageOf(randomBytes(4_000_000));
    await registry.push(name, tag('half'), image);
    const outcome = await registry.readBlob(name, image.blobs[1]?.descriptor ?? missing);
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    for await (const chunk of outcome.content) if (chunk.length > 0) break;
    expect(outcome.content.destroyed).toBe(true);
    expect(await registry.check()).toEqual({ kind: 'ok' });
  });

  it.skipIf(!installed('skopeo'))('skopeo pulls what was pushed', async () => {
    const image = imageOf('for skopeo');
    await registry.push(name, tag('skopeo'), image);
    const directory = mkdtempSync(join(tmpdir(), 'skopeo-test-'));
    const source = `docker://${docker.url.host}/${name}:skopeo`;
    execFileSync(
      'skopeo',
      ['--insecure-policy', 'copy', '--src-tls-verify=false', source, `dir:${directory}`],
      { stdio: 'ignore' },
    );
    expect(digestOf(readFileSync(join(directory, 'manifest.json')))).toBe(image.descriptor.digest);
    rmSync(directory, { recursive: true });
  });
});

describe('with hostile answers', () => {
  const open: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const thing of open.splice(0)) await thing.stop();
  });
  async function connect(script: Script, deadlineMs = 2_000) {
    const hostile = await startHostileRegistry(script);
    const registry = createDistributionRegistry({ url: hostile.url, deadlineMs, ...credentials });
    open.push({ stop: () => registry.close() }, hostile);
    return { registry, seen: hostile.seen, url: hostile.url };
  }
  const image = imageOf('hostile');
  const accepting =
    (location: string): Script =>
    ({ method, path }) => {
      if (method === 'HEAD') return { status: 404 };
      if (method === 'POST') return { status: 202, headers: { location } };
      const digest = /digest=(.*)/.exec(path)?.[1] ?? image.descriptor.digest;
      return { status: 201, headers: { 'docker-content-digest': decodeURIComponent(digest) } };
    };

  /** Takes every blob; `put` answers the manifest, which is `stored` from then on or not. */
  const storing = (put: () => Reply, stored = true): Script => {
    let isThere = false;
    const rest = accepting('/v2/uploads/1');
    return (request, number) => {
      if (!request.path.includes('/manifests/')) return rest(request, number);
      if (request.method === 'GET') {
        return isThere && stored
          ? { status: 200, body: image.manifest }
          : registryError(404, 'MANIFEST_UNKNOWN');
      }
      isThere = true;
      return put();
    };
  };
  const text = { 'content-type': 'text/html; charset=utf-8' };
  const hung: Reply = (_, response) => response.socket?.resetAndDestroy();

  it.each<[string, Reply]>([
    [
      '201 with the text OK and the digest (Quay)',
      {
        status: 201,
        headers: { ...text, 'docker-content-digest': image.descriptor.digest },
        body: 'OK',
      },
    ],
    [
      '201 with the digest twice, by a proxy that adds it',
      {
        status: 201,
        headers: { 'docker-content-digest': Array(2).fill(image.descriptor.digest).join(', ') },
      },
    ],
    [
      '201 with a digest by another algorithm',
      { status: 201, headers: { 'docker-content-digest': `sha512:${'ab'.repeat(64)}` } },
    ],
    ['a refusal to set a tag again (Harbor)', registryError(412, 'PRECONDITION')],
    ['a refusal to set a tag again (Quay)', registryError(409, 'TAG_IMMUTABLE')],
    ['a refusal to set a tag again (ECR)', registryError(400, 'TAG_INVALID', 'is immutable')],
    ['201 with nothing', { status: 201 }],
    ['201 with the text OK alone', { status: 201, headers: text, body: 'OK' }],
    ['201 with errors', { status: 201, body: '{"errors":[]}' }],
    ['no answer', hung],
    ['500', { status: 500 }],
  ])('a manifest that is there is stored, after %s', async (_, put) => {
    const { registry } = await connect(
      storing(() => put),
      3_000,
    );
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
  });

  it.each<[string, Reply]>([
    ['a page', { status: 200, headers: text, body: '<html>Sign in' }],
    ['202 with nothing', { status: 202 }],
    ['201 with an object', { status: 201, body: '{}' }],
    ['no answer', hung],
    ['a conflict', registryError(409, 'CONFLICT')],
  ])('a manifest that is not there is not stored, after %s', async (_, put) => {
    const { registry } = await connect(storing(() => put, false));
    const outcome = await registry.push(name, tag('v1'), image);
    expect(outcome).toMatchObject({ kind: 'failed', retryable: true });
    expect(outcome).not.toHaveProperty('inDoubt');
  });

  it('a tag that a rule keeps on something else is refused by name', async () => {
    const { registry } = await connect(
      storing(() => registryError(400, 'TAG_INVALID', 'the repository is immutable'), false),
    );
    const outcome = await registry.push(name, tag('v1'), image);
    expect(outcome).toMatchObject({ kind: 'failed', retryable: false });
    expect(outcome).toHaveProperty('detail', expect.stringContaining('immutability'));
  });

  it('a manifest that nobody can tell of is in doubt', async () => {
    let gone = false;
    const { registry } = await connect((request, number) => {
      gone ||= request.path.includes('/manifests/');
      return gone ? hung : accepting('/v2/uploads/1')(request, number);
    });
    expect(await registry.push(name, tag('v1'), image)).toMatchObject({ inDoubt: true });
  });

  it('a registry that asks for patience (nginx’s limit_req) is given it', async () => {
    const rest = accepting('/v2/uploads/1');
    const refusals = new Map<string, number>();
    const { registry } = await connect((request, number) => {
      const key = `${request.method} ${request.path}`;
      const refused = refusals.get(key) ?? 0;
      refusals.set(key, refused + 1);
      return refused < 5
        ? { status: 503, headers: text, body: '<html>503' }
        : rest(request, number);
    }, 10_000);
    const pauses = vi.spyOn(Deadline.prototype, 'sleep').mockResolvedValue();
    onTestFinished(() => pauses.mockRestore());
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
  });

  it('says who it is and asks for no coding, and reads gzip all the same', async () => {
    const { registry, seen } = await connect(() => ({
      status: 200,
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(image.manifest),
    }));
    expect(await registry.readManifest(name, tag('v1'))).toMatchObject({
      kind: 'found',
      descriptor: { digest: image.descriptor.digest },
    });
    expect(seen[0]?.headers).toMatchObject({
      'user-agent': expect.stringMatching(/^pack-gateway\/\d/),
      'accept-encoding': 'identity',
    });
  });

  it('reads what a proxy has decompressed without saying so, and an empty answer in any coding', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const { registry } = await connect(({ method, path }) => {
      if (method === 'DELETE') return { status: 202, headers };
      if (path.includes('/tags/list')) return { status: 200, headers, body: '{"tags":[]}' };
      return path.includes('/referrers/')
        ? { status: 404, headers, body: 'no' }
        : { status: 200, headers, body: image.manifest };
    });
    expect(await registry.readManifest(name, tag('v1'))).toMatchObject({ kind: 'found' });
    expect(await registry.purge(name, image.descriptor.digest)).toEqual({ kind: 'purged' });
  });

  it('an upload without a location is said to have none', async () => {
    const inner = accepting('/upload');
    const { registry } = await connect((request, number) =>
      request.method === 'POST' ? { status: 202 } : inner(request, number),
    );
    expect(await registry.push(name, tag('v1'), image)).toMatchObject({
      ...permanent,
      detail: expect.stringContaining('Location'),
    });
  });

  it.each([
    [
      'no room (Harbor)',
      registryError(403, 'DENIED', 'adding 1 GiB will exceed the configured upper limit of 9 GiB'),
      { ...permanent, detail: expect.stringContaining('quota') },
    ],
    [
      'a firewall (Azure)',
      registryError(403, 'DENIED', "client with IP '192.0.2.1' is not allowed access"),
      { reason: 'UNAUTHORIZED', detail: expect.stringContaining('network rules') },
    ],
  ])('an upload refused because of %s says so', async (_, answer, expected) => {
    const { registry } = await connect(({ method }) =>
      method === 'HEAD' ? { status: 404 } : answer,
    );
    expect(await registry.push(name, tag('v1'), image)).toMatchObject(expected);
  });

  it('a relative upload location keeps its query', async () => {
    const { registry, seen } = await connect(accepting('/upload?state=a%2Fb'));
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    const puts = seen.filter(({ path }) => path.startsWith('/upload'));
    expect(puts).toHaveLength(2);
    expect(puts.every(({ path }) => path.includes('state=a%2Fb&digest=sha256'))).toBe(true);
  });

  it.each([['http://elsewhere.invalid/upload'], [''], ['http://[']])(
    'an upload location %j is not followed',
    async (location) => {
      const { registry, seen } = await connect(accepting(location));
      expect(await registry.push(name, tag('v1'), image)).toMatchObject(permanent);
      expect(seen.every(({ method }) => method !== 'PUT')).toBe(true);
    },
  );

  it('a blob that is said to be elsewhere is sent', async () => {
    const inner = accepting('/upload');
    const { registry, seen } = await connect((request, number) =>
      request.method === 'HEAD'
        ? { status: 307, headers: { location: 'http://store.invalid/blob' } }
        : inner(request, number),
    );
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    expect(seen.filter(({ path }) => path.startsWith('/upload'))).toHaveLength(2);
  });

  it.each([
    ...[401, 403].map((status) => ({ status, refusal: { status } })),
    ...[400, 404, 405, 501].map((status) => ({
      status,
      refusal: registryError(status, 'UNSUPPORTED'),
    })),
  ])('blobs that are not mounted ($status) are sent', async ({ refusal }) => {
    const contents = new Map<string, Buffer>();
    for (const { descriptor, open } of image.blobs) {
      contents.set(descriptor.digest, Buffer.concat(await open().toArray()));
    }
    const inner = accepting('/upload');
    const { registry, seen } = await connect((request, number) => {
      if (request.path.includes('mount=')) return refusal;
      if (request.method !== 'GET') return inner(request, number);
      const body = contents.get(request.path.split('/').at(-1) ?? '') ?? image.manifest;
      return { status: 200, body };
    });
    const to = repository('packs/acme/copy');
    const { digest } = image.descriptor;
    const copied = await registry.copyImage({ repository: name }, digest, to, tag('v1'));
    expect(copied).toEqual({ kind: 'copied' });
    expect(seen.filter(({ path }) => path.startsWith('/upload'))).toHaveLength(2);
  });

  it.each([400, 403, 405, 501])('a blob that may not be asked for (%i) is sent', async (status) => {
    const inner = accepting('/upload');
    const { registry, seen } = await connect((request, number) =>
      request.method === 'HEAD' ? { status } : inner(request, number),
    );
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    expect(seen.filter(({ path }) => path.startsWith('/upload'))).toHaveLength(2);
  });

  it.each<[string, number]>([
    ['MANIFEST_BLOB_UNKNOWN', 400],
    ['BLOB_UNKNOWN', 404],
  ])('blobs that a registry has lost and still remembers are sent (%s)', async (code, status) => {
    const inner = accepting('/upload');
    const sent = new Set<string>();
    const { registry } = await connect((request, number) => {
      if (request.method === 'HEAD') return { status: 200 };
      if (request.path.startsWith('/upload')) sent.add(request.path);
      return request.path.includes('/manifests/') && sent.size < 2
        ? registryError(status, code)
        : inner(request, number);
    });
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    expect(sent.size).toBe(2);
  });

  it('a registry that loses them at once is not sent them for ever', async () => {
    const inner = accepting('/upload');
    const { registry, seen } = await connect((request, number) =>
      request.path.includes('/manifests/')
        ? registryError(400, 'MANIFEST_BLOB_UNKNOWN')
        : inner(request, number),
    );
    expect(await registry.push(name, tag('v1'), image)).toMatchObject({
      ...retryable,
      detail: expect.stringContaining('lost a blob'),
    });
    expect(seen.filter(({ path }) => path.startsWith('/upload'))).toHaveLength(4);
  });

  it('a token that ends between two steps of an upload is renewed, and all bytes are sent again', async () => {
    const bytes = Buffer.alloc(3_000_000, 'long upload ');
    const blobs = [blobOf(bytes, 'x/y')];
    const received: number[] = [];
    let valid = 1;
    const { registry } = await connect(({ method, path, headers }) => {
      if (path.startsWith('/token')) return { status: 200, body: `{"token":"t${valid}"}` };
      if (headers.authorization !== `Bearer t${valid}`) {
        const challenge = 'Bearer realm="/token",service="s",error="invalid_token"';
        return { status: 401, headers: { 'www-authenticate': challenge } };
      }
      if (method === 'HEAD') return { status: 404 };
      if (method === 'POST') {
        valid = 2;
        return { status: 202, headers: { location: '/upload' } };
      }
      if (!path.startsWith('/upload')) {
        return { status: 201, headers: { 'docker-content-digest': image.descriptor.digest } };
      }
      return async (request, response) => {
        let size = 0;
        for await (const chunk of request) size += chunk.length;
        received.push(size);
        response.writeHead(201).end();
      };
    });
    expect(await registry.push(name, tag('v1'), { ...image, blobs })).toEqual({ kind: 'pushed' });
    expect(received).toEqual([bytes.length]);
  });

  it('a refusal that comes while a blob is being sent is heard', async () => {
    const inner = accepting('/upload');
    const { registry } = await connect((request, number) =>
      request.path.startsWith('/upload')
        ? (incoming, response) =>
            void incoming.once('data', () => {
              response.writeHead(413, { ...text, connection: 'close' }).end('<html>');
            })
        : inner(request, number),
    );
    const blobs = [blobOf(Buffer.alloc(8_000_000), 'x/y')];
    expect(await registry.push(name, tag('v1'), { ...image, blobs })).toMatchObject({
      ...permanent,
      detail: expect.stringContaining('too large'),
    });
  });

  it('a broken upload begins anew with the blob opened again', async () => {
    let failed = false;
    let opened = 0;
    const inner = accepting('/upload');
    const { registry } = await connect((request, number) => {
      if (request.method !== 'PUT' || failed) return inner(request, number);
      failed = true;
      return (_, response) => response.socket?.resetAndDestroy();
    });
    const blobs = image.blobs.map((blob) => ({
      ...blob,
      open: () => {
        opened++;
        return blob.open();
      },
    }));
    expect(await registry.push(name, tag('v1'), { ...image, blobs })).toEqual({ kind: 'pushed' });
    expect(opened).toBe(3);
  });

  it('a registry that stored something else is not believed', async () => {
    const inner = accepting('/upload');
    const { registry } = await connect((request, number) =>
      request.path.includes('/manifests/')
        ? { status: 201, headers: { 'docker-content-digest': missing.digest } }
        : inner(request, number),
    );
    expect(await registry.push(name, tag('v1'), image)).toMatchObject(retryable);
  });

  it('our own file failing is no failure of the registry', async () => {
    const { registry } = await connect(accepting('/upload'));
    const broken = () =>
      new Readable({
        read() {
          this.destroy(new Error('disk'));
        },
      });
    const blobs = image.blobs.map((blob) => ({ ...blob, open: broken }));
    await expect(registry.push(name, tag('v1'), { ...image, blobs })).rejects.toThrow('disk');
  });

  it('an upload may last longer than the deadline as long as it moves', async () => {
    const { registry } = await connect(accepting('/upload'), 400);
    const bytes = Buffer.from('0123456789');
    const blob = { ...blobOf(bytes, 'x/y'), open: () => Readable.from(slowly(bytes)) };
    expect(await registry.push(name, tag('v1'), { ...image, blobs: [blob] })).toEqual({
      kind: 'pushed',
    });
  });
  async function* slowly(bytes: Buffer) {
    for (const byte of bytes) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      yield Buffer.from([byte]);
    }
  }

  it('an upload that stands still ends', async () => {
    const { registry } = await connect(accepting('/upload'), 300);
    const open = () => new Readable({ read() {} });
    const blobs = [{ ...blobOf(Buffer.from('never'), 'x/y'), open }];
    const outcome = await registry.push(name, tag('v1'), { ...image, blobs });
    expect(outcome).toMatchObject({ reason: 'TIMEOUT', retryable: true });
  });

  it.each([
    ['another manifest', { status: 200, body: '{"schemaVersion":2}' }, retryable],
    [
      'a page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      retryable,
    ],
    ['5 MiB', { status: 200, body: Buffer.alloc(5 * 1024 * 1024, ' ') }, permanent],
    ['a bare 404', { status: 404 }, retryable],
    ['MANIFEST_UNKNOWN', registryError(404, 'MANIFEST_UNKNOWN'), { kind: 'missing' }],
  ])('a manifest by digest answered with %s', async (_, answer, expected) => {
    const { registry } = await connect(() => answer);
    expect(await registry.readManifest(name, image.descriptor.digest)).toMatchObject(expected);
  });

  it('of a manifest by tag the computed digest counts, not the header', async () => {
    const headers = { 'content-type': MANIFEST, 'docker-content-digest': missing.digest };
    const { registry, seen } = await connect(() => ({
      status: 200,
      headers,
      body: image.manifest,
    }));
    const read = await registry.readManifest(name, tag('v1'));
    expect(read).toMatchObject({ kind: 'found', descriptor: { digest: image.descriptor.digest } });
    expect(seen[0]?.headers.accept).toContain('oci.image.index');
    expect(seen[0]?.headers.accept).toContain('docker.distribution.manifest.list');
  });

  it('a manifest may have a key "errors"; what has no more than that is an error', async () => {
    const manifest = { ...JSON.parse(Buffer.from(image.manifest).toString()), errors: [] };
    const odd = await connect(() => ({ status: 200, body: JSON.stringify(manifest) }));
    expect(await odd.registry.readManifest(name, tag('v1'))).toMatchObject({ kind: 'found' });
    const wrong = await connect(() => ({ status: 200, body: '{"errors":[]}' }));
    expect(await wrong.registry.readManifest(name, tag('v1'))).toMatchObject(retryable);
  });

  it.each([
    ['too short', 'nothin'],
    ['too long', 'nothing at all'],
    ['other content', 'nothong'],
  ])('a blob that is %s errors the stream', async (_, body) => {
    const { registry } = await connect(() => ({ status: 200, body }));
    const outcome = await registry.readBlob(name, missing);
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    await expect(outcome.content.toArray()).rejects.toThrow(/digest/);
  });

  it.each<[string, Record<string, string>, Buffer, string]>([
    ['as it was stored', { 'content-encoding': 'gzip' }, gzipSync('layer'), 'x/y'],
    ['as it was stored (x-gzip)', { 'content-encoding': 'x-gzip' }, gzipSync('layer'), 'x/y'],
    [
      'as it was stored, of unknown length',
      { 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' },
      gzipSync('layer'),
      'application/vnd.oci.image.layer.v1.tar+gzip',
    ],
    ['that is none', { 'content-encoding': 'gzip' }, Buffer.from('not compressed'), 'x/y'],
  ])('a blob with the label of a coding is read %s', async (_, headers, stored, mediaType) => {
    const { registry } = await connect(() => {
      const length = headers['transfer-encoding'] ? {} : { 'content-length': `${stored.length}` };
      return { status: 200, headers: { ...headers, ...length }, body: stored };
    });
    const descriptor = { mediaType, digest: digestOf(stored), size: stored.length };
    const outcome = await registry.readBlob(name, descriptor);
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    expect(Buffer.concat(await outcome.content.toArray()).equals(stored)).toBe(true);
  });

  it.each([undefined, 'content-length'])(
    'a blob that a proxy has compressed is read as it was stored (%s)',
    async (header) => {
      const body = gzipSync('nothing');
      const length = header ? { [header]: String(body.length) } : {};
      const headers = { 'content-encoding': 'gzip', ...length };
      const { registry } = await connect(() => ({ status: 200, headers, body }));
      const outcome = await registry.readBlob(name, missing);
      if (outcome.kind !== 'found') throw new Error(outcome.kind);
      expect(Buffer.concat(await outcome.content.toArray()).toString()).toBe('nothing');
    },
  );

  it('a blob that stalls errors the stream; a reader that takes its time does not', async () => {
    const stalling = await connect(
      () => (_, response) => void response.writeHead(200, { 'content-length': '7' }).write('not'),
      300,
    );
    const stalled = await stalling.registry.readBlob(name, missing);
    if (stalled.kind !== 'found') throw new Error(stalled.kind);
    await expect(stalled.content.toArray()).rejects.toThrow(/time/);

    const { registry } = await connect(() => ({ status: 200, body: 'nothing' }), 300);
    const outcome = await registry.readBlob(name, missing);
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(Buffer.concat(await outcome.content.toArray()).toString()).toBe('nothing');
  });

  describe('redirects', () => {
    const to = (status: number, location: string) => ({ status, headers: { location } });
    const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };

    it('a blob is fetched from a store on another host, without credentials', async () => {
      const store = await connect(() => ({ status: 200, body: 'nothing' }));
      const { registry, seen } = await connect(({ headers }) =>
        headers.authorization ? to(307, `${store.url}stored?sig=1`) : challenge,
      );
      const outcome = await registry.readBlob(name, missing);
      if (outcome.kind !== 'found') throw new Error(outcome.kind);
      expect(Buffer.concat(await outcome.content.toArray()).toString()).toBe('nothing');
      expect(seen.at(-1)?.headers.authorization).toMatch(/^Basic/);
      expect(store.seen).toHaveLength(1);
      expect(store.seen[0]?.headers.authorization).toBeUndefined();
    });

    it.each([301, 302, 303, 307, 308])(
      'a manifest request is not sent to another host (%i)',
      async (status) => {
        const other = await connect(() => ({ status: 202 }));
        const { registry } = await connect(() => to(status, other.url.href));
        expect(await registry.purge(name, image.descriptor.digest)).toMatchObject(retryable);
        expect(other.seen).toHaveLength(0);
      },
    );

    it('308 on the same host keeps method and credentials', async () => {
      const { registry, seen } = await connect(({ path, headers }) => {
        if (!headers.authorization) return challenge;
        return path.startsWith('/moved')
          ? { status: 200, body: image.manifest }
          : to(308, '/moved');
      });
      expect(await registry.readManifest(name, tag('v1'))).toMatchObject({ kind: 'found' });
      expect(seen.at(-1)?.headers.authorization).toMatch(/^Basic/);
    });

    it('a loop ends after five', async () => {
      const { registry, seen } = await connect(() => to(307, '/v2/'));
      expect(await registry.check()).toMatchObject(retryable);
      expect(seen).toHaveLength(6);
    });
  });
});
