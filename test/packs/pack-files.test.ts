import { zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mostTarBytes } from '../../src/packs/archive/read-archive.ts';
import { gzipped, paxHeader, samplePack, samplePackEntries, tarOf } from '../support/archives.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGate } from '../support/gate.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { imageOf, type SampleLayer } from '../support/layers.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';
import { change, pushImage } from './changes.ts';

const FILES = `query ($id: ID!, $first: Int, $after: String, $under: String) { pack(id: $id) {
  files(first: $first, after: $after, under: $under) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    nodes { path size mediaType executable text }
  } } }`;
const FILE = `query ($id: ID!, $path: String!) { pack(id: $id) { file(path: $path) {
  path size mediaType executable text } } }`;

const files = async (gateway: Gateway, id: string, variables: object = {}, key?: string) =>
  (await gateway.graphql(FILES, { id, ...variables }, key)).data.pack?.files;
const file = async (gateway: Gateway, id: string, path: string, key?: string) =>
  (await gateway.graphql(FILE, { id, path }, key)).data.pack?.file;

async function uploaded(gateway: Gateway, archive: Buffer): Promise<string> {
  const { pack, ...problem } = await gateway.upload(archive);
  if (pack === undefined) throw new Error(JSON.stringify(problem));
  return pack.id;
}

/** A pack of an image with these layers. */
async function imported(gateway: Gateway, name: string, layers: SampleLayer[]): Promise<string> {
  await pushImage(gateway, `team/${name}`, 'v1', imageOf(layers));
  const created = await change(gateway, 'createPackFromImage', { imageRef: `team/${name}:v1` });
  if (created.pack === undefined) throw new Error(JSON.stringify(created));
  return created.pack.id;
}

describe.each(deployments)('the files of a pack on $database with $registry', (deployment) => {
  test('are listed by path, page by page, and read one by one', async () => {
    const gateway = await startGateway({
      database: deployment.database,
      environment: await registryEnvironment(deployment.registry),
    });
    const guides = Object.fromEntries(
      ['a', 'b', 'c'].map((name) => [`guides/${name}.md`, `# ${name}\n`]),
    );
    const id = await uploaded(
      gateway,
      samplePack({
        name: 'read',
        files: {
          ...guides,
          'data/bytes.bin': Buffer.from([0xff, 0xfe, 0]),
          'data/nul.txt': 'a\0b',
          'data/long.txt': 'x'.repeat(256 * 1024 + 1),
          'data/longest.txt': 'ü'.repeat(128 * 1024),
          'data/bom.txt': '\ufeffbom',
          'data/no-extension': 'x',
        },
      }),
    );
    const all = await files(gateway, id);
    expect(all.nodes.map(({ path }: { path: string }) => path)).toEqual([
      'behavior.md',
      'data/bom.txt',
      'data/bytes.bin',
      'data/long.txt',
      'data/longest.txt',
      'data/no-extension',
      'data/nul.txt',
      'guides/a.md',
      'guides/b.md',
      'guides/c.md',
      'guides/start.md',
      'pack.yaml',
      'scripts/run.sh',
    ]);
    expect(all).toMatchObject({
      totalCount: 13,
      pageInfo: { hasNextPage: false, hasPreviousPage: false },
    });
    const run = { executable: true, mediaType: 'application/x-sh', text: '#!/bin/sh\n', size: 10 };
    expect(all.nodes.at(-1)).toEqual({ path: 'scripts/run.sh', ...run });

    const page = await files(gateway, id, { first: 2, under: 'guides/' });
    expect(page).toMatchObject({
      totalCount: 4,
      nodes: [{ path: 'guides/a.md' }, { path: 'guides/b.md' }],
      pageInfo: { hasNextPage: true },
    });
    const rest = await files(gateway, id, {
      first: 2,
      under: 'guides',
      after: page.pageInfo.endCursor,
    });
    expect(rest).toMatchObject({
      nodes: [{ path: 'guides/c.md' }, { path: 'guides/start.md' }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    expect((await files(gateway, id, { under: 'guide' })).nodes).toEqual([]);

    expect(await file(gateway, id, 'guides/a.md')).toEqual({
      path: 'guides/a.md',
      size: 4,
      mediaType: 'text/markdown',
      executable: false,
      text: '# a\n',
    });
    expect(await file(gateway, id, 'data/bytes.bin')).toMatchObject({ size: 3, text: null });
    expect(await file(gateway, id, 'data/nul.txt')).toMatchObject({ text: null });
    expect(await file(gateway, id, 'data/long.txt')).toMatchObject({ text: null });
    expect((await file(gateway, id, 'data/longest.txt')).text).toHaveLength(128 * 1024);
    expect((await file(gateway, id, 'data/bom.txt')).text).toBe('\ufeffbom');
    expect(await file(gateway, id, 'data/no-extension')).toMatchObject({
      mediaType: 'application/octet-stream',
    });
    for (const path of ['guides', 'none.md', '/pack.yaml', '../pack.yaml', '', 'constructor']) {
      expect(await file(gateway, id, path), path).toBeNull();
    }
  });

  test('of an image of many layers are what is left of them', async () => {
    const gateway = await startGateway({
      database: deployment.database,
      environment: await registryEnvironment(deployment.registry),
    });
    const id = await imported(gateway, 'layered', [
      gzipped(
        tarOf([
          ...samplePackEntries({ name: 'layered' }),
          { name: 'guides/deleted.md', content: 'x' },
          { name: 'guides/replaced.md', content: 'old' },
          { name: 'data/old/one.txt', content: 'x' },
          { name: 'data/old/two.txt', content: 'x' },
          { name: 'data/becomes-file/x', content: 'x' },
          { name: 'data/becomes-directory', content: 'x' },
          { name: 'data/becomes-link', content: 'x' },
          { name: 'templates/gone/deep/x', content: 'x' },
        ]),
      ),
      zstdCompressSync(
        tarOf([
          { name: 'guides/.wh.deleted.md' },
          { name: 'guides/replaced.md', content: 'first' },
          { name: 'guides/replaced.md', content: 'last', mode: 0o755 },
          { name: 'data/old/new.txt', content: 'new' },
          { name: 'data/old/.wh..wh..opq' },
          { name: 'data/becomes-file', content: 'file' },
          { name: 'data/becomes-directory/', type: '5' },
          { name: 'data/becomes-directory/y', content: 'y' },
          { name: 'data/becomes-link', type: '2', linkname: '/etc/passwd' },
          { name: '.wh.templates' },
        ]),
      ),
    ]);
    const { nodes } = await files(gateway, id);
    expect(nodes.map(({ path, text }: { path: string; text: string }) => [path, text])).toEqual([
      ['behavior.md', '# Behave\n'],
      ['data/becomes-directory/y', 'y'],
      ['data/becomes-file', 'file'],
      ['data/old/new.txt', 'new'],
      ['guides/replaced.md', 'last'],
      ['guides/start.md', '# Start\n'],
      ['pack.yaml', expect.stringContaining('name: layered')],
      ['scripts/run.sh', '#!/bin/sh\n'],
    ]);
    expect(await file(gateway, id, 'guides/replaced.md')).toMatchObject({ executable: true });
    expect(await file(gateway, id, 'data/becomes-link')).toBeNull();
  });
});

test('a hard link in an image is a file like the one that it is another name of', async () => {
  const gateway = await startGateway();
  const long = `guides/${'l'.repeat(120)}.md`;
  const link = (name: string, linkname: string) => ({ name, type: '1', linkname });
  const id = await imported(gateway, 'linked', [
    gzipped(
      tarOf([
        ...samplePackEntries({ name: 'linked' }),
        link('guides/same.md', './guides/start.md'),
        link('guides/dangling.md', 'guides/none.md'),
        paxHeader({ path: long }),
        { name: 'guides/cut', content: 'long' },
        paxHeader({ linkpath: long }),
        link('guides/to-long-by-pax.md', 'guides/cut'),
        { name: '././@LongLink', type: 'K', content: `${long}\0` },
        link('guides/to-long-by-gnu.md', 'guides/cut'),
      ]),
    ),
    gzipped(
      tarOf([
        link('guides/across.sh', 'scripts/run.sh'),
        { name: 'guides/start.md', content: 'new' },
      ]),
    ),
  ]);
  const { nodes } = await files(gateway, id);
  const texts = Object.fromEntries(nodes.map(({ path, text }: Json) => [path, text]));
  expect(texts).toMatchObject({
    'guides/start.md': 'new',
    'guides/same.md': '# Start\n',
    'guides/across.sh': '#!/bin/sh\n',
    'guides/to-long-by-pax.md': 'long',
    'guides/to-long-by-gnu.md': 'long',
  });
  expect(texts).not.toHaveProperty('guides/dangling.md');
  expect(await file(gateway, id, 'guides/across.sh')).toMatchObject({ executable: true });
});

test('an image whose hard links make it larger than an archive may be is refused', async () => {
  const maxArchiveBytes = 65_536;
  const gateway = await startGateway({
    environment: { MAX_ARCHIVE_BYTES: String(maxArchiveBytes) },
  });
  const content = Buffer.alloc(60_000);
  const links = Array.from(
    { length: Math.ceil(mostTarBytes(maxArchiveBytes) / content.length) },
    (_, at) => ({ name: `data/${at}`, type: '1', linkname: 'data/large' }),
  );
  const entries = [...samplePackEntries({ name: 'many' }), { name: 'data/large', content }];
  const id = await imported(gateway, 'many', [gzipped(tarOf([...entries, ...links]))]);
  const { errors } = await gateway.graphql(FILES, { id });
  expect(errors?.[0].message).toMatch(/unpacks to more than [0-9]+ bytes/);
});

test.skipIf(!installed('docker-registry'))(
  'an image is read once for whoever asks, and while its registry does not answer the rest is',
  async () => {
    const docker = await emptyDockerRegistry();
    const gate = await startGate(docker.url);
    // Short, as a registry that refuses is waited for; but uploads have to be done by then on a busy machine as well.
    const gateway = await startGateway({
      environment: { REGISTRY_URL: gate.url, REGISTRY_DEADLINE_MS: '2000' },
    });
    const { id } = await gateway.pack('triage', { visibility: 'COMMUNITY' });
    const { id: other } = await gateway.pack('other');
    const key = await gateway.org('globex');
    const reads = () => gateway.logs.filter(({ operation }) => operation === 'GET blob').length;
    const query = `query ($id: ID!) { pack(id: $id) {
      files(first: 2) { nodes { text } } a: file(path: "pack.yaml") { text } b: file(path: "behavior.md") { text }
    } }`;
    const before = reads();
    const answers = await Promise.all([
      gateway.graphql(query, { id }),
      gateway.graphql(query, { id }, key),
      gateway.graphql(query, { id }),
    ]);
    for (const { data } of answers) {
      expect(data.pack.b.text).toBe('# Behave\n');
      expect(data.pack.files.nodes[0].text).toBe(data.pack.b.text);
    }
    expect(reads() - before).toBe(1);
    expect(await files(gateway, other, {}, key)).toBeUndefined();
    const metrics = await gateway.app.fetch(new Request('http://gateway/metrics'));
    expect(await metrics.text()).toMatch(/^pack_gateway_unpacked_images 1$/m);

    gate.refuse({ request: /./, status: 503 });
    const { data, errors } = await gateway.graphql(
      'query ($id: ID!) { pack(id: $id) { name files { totalCount } file(path: "pack.yaml") { size } } }',
      { id: other },
    );
    expect(data.pack).toEqual({ name: 'other', files: null, file: null });
    expect(errors).toHaveLength(2);
    expect(errors[0].extensions).toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      requestId: expect.any(String),
      details: { retryable: true },
    });
  },
);

test('an image that cannot be unpacked says why', async () => {
  const gateway = await startGateway();
  const names = Array.from({ length: 21_000 }, (_, at) => ({ name: `data/${at}` }));
  const id = await imported(gateway, 'wide', [
    gzipped(tarOf([...samplePackEntries({ name: 'wide' }), ...names]), 1),
  ]);
  const { data, errors } = await gateway.graphql(FILES, { id });
  expect(data.pack.files).toBeNull();
  expect(errors[0].message).toMatch(/more than 20000 entries/);
  expect(errors[0].extensions).toMatchObject({
    code: 'REGISTRY_UNAVAILABLE',
    details: { retryable: false },
  });
});

test('a file is found by its path as its author writes it, and one of another tool as it is named', async () => {
  const gateway = await startGateway();
  const composed = 'guides/\u00e9/a.md';
  const decomposed = composed.normalize('NFD');
  const entries = samplePackEntries({ name: 'composed', files: { [decomposed]: 'of a pack' } });
  const id = await uploaded(gateway, gzipped(tarOf(entries)));
  const foreign = await imported(gateway, 'foreign', [
    gzipped(
      tarOf([
        ...samplePackEntries({ name: 'foreign', files: { [composed]: 'NFC' } }),
        { name: decomposed, content: 'NFD' },
      ]),
    ),
  ]);
  for (const asked of [composed, decomposed, `./${composed}`]) {
    expect(await file(gateway, id, asked), asked).toMatchObject({
      path: composed,
      text: 'of a pack',
    });
    const path = encodeURIComponent(asked);
    const answer = await gateway.rest('GET', `/v1/packs/${id}/files/${path}`);
    expect(answer.status, asked).toBe(200);
    const under = asked.slice(0, asked.lastIndexOf('/'));
    expect((await files(gateway, id, { under })).nodes, under).toMatchObject([{ path: composed }]);
  }
  expect(await file(gateway, id, `${composed}/`)).toBeNull();
  expect((await files(gateway, id, { under: './' })).totalCount).toBe(5);
  expect((await files(gateway, id, { under: '../guides' })).nodes).toEqual([]);
  expect(await file(gateway, foreign, composed)).toMatchObject({ path: composed, text: 'NFC' });
  expect(await file(gateway, foreign, decomposed)).toMatchObject({ path: decomposed, text: 'NFD' });
  const under = decomposed.slice(0, decomposed.lastIndexOf('/'));
  expect((await files(gateway, foreign, { under })).nodes).toMatchObject([{ path: decomposed }]);
});
