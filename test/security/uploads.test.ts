/** What a multipart request may make the server do, by whom, and how far. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AtOnce } from '../../src/http/at-once.ts';
import { orgIds } from '../../src/model/ids.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const UPLOAD =
  'mutation ($a: File!) { uploadPack(archive: $a) { __typename ... on Error { code } } }';
let gateway: Gateway;
let before: string | undefined;
let temporary: string;
beforeEach(async () => {
  gateway = await startGateway({
    database: 'postgres',
    environment: { MAX_ARCHIVE_BYTES: '100000' },
  });
  before = process.env.TMPDIR;
  temporary = mkdtempSync(join(tmpdir(), 'uploads-'));
  process.env.TMPDIR = temporary;
});
afterEach(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(temporary, { recursive: true });
});

type Part = readonly [disposition: string, content: string];
const operations = (query = UPLOAD, variables: object = { a: null }): Part => [
  'name="operations"',
  JSON.stringify({ query, variables }),
];
const map = (value: unknown = { f: ['variables.a'] }): Part => [
  'name="map"',
  JSON.stringify(value),
];
const FILE: Part = ['name="f"; filename="a.tar.gz"', 'no archive'];

/** A body whose pulls are counted, and what was on the disk at the last of them. */
function body(parts: readonly Part[]) {
  const text = parts.map(
    ([head, content]) => `--x\r\ncontent-disposition: form-data; ${head}\r\n\r\n${content}\r\n`,
  );
  const chunks = [...text, '--x--\r\n'].map((chunk) => new TextEncoder().encode(chunk));
  const seen = { pulls: 0, onDisk: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        seen.pulls += 1;
        seen.onDisk = readdirSync(temporary, { recursive: true }).length;
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

async function send(
  parts: readonly Part[],
  {
    key = OWNER_KEY,
    method = 'POST',
    path = '/graphql',
    type = 'multipart/form-data; boundary=x',
  } = {},
): Promise<{ status: number; body: Json; pulls: number; onDisk: number }> {
  const { stream, seen } = body(parts);
  const init: RequestInit & { duplex: 'half' } = {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': type },
    body: stream,
    duplex: 'half',
  };
  const response = await gateway.app.fetch(new Request(`http://gateway${path}`, init));
  const answer = { status: response.status, body: await response.json(), ...seen };
  expect(readdirSync(temporary)).toEqual([]);
  return answer;
}

test('nothing of a body is read for nobody, whatever it is and wherever it goes', async () => {
  for (const [path, type] of [
    ['/graphql', 'multipart/form-data; boundary=x'],
    ['/graphql', 'application/json'],
    ['/v1/packs/upload', 'multipart/form-data; boundary=x'],
    ['/v1/agent-roles', 'application/json'],
  ] as const) {
    const answer = await send([operations(), map(), FILE], { key: 'sk_nobody', path, type });
    expect(answer, path).toMatchObject({ status: 401, pulls: 0 });
  }
});

test('a file stays with its sender where the caller lacks the scope, or the operation cannot run', async () => {
  const reader = await gateway.key('READ_ONLY');
  const file: Part = ['name="f"; filename="a"', 'x'.repeat(90_000)];
  const rest: Part[] = Array.from({ length: 20 }, () => file);
  const denied = await send([operations(), map(), ...rest], { key: reader });
  expect(denied.body.errors[0].extensions.code).toBe('PERMISSION_DENIED');
  expect(denied.pulls).toBeLessThan(8);
  for (const query of ['mutation ($a: File!) {', 'mutation ($a: File!) { nothing(archive: $a) }']) {
    const invalid = await send([operations(query), map(), ...rest]);
    expect(invalid.body.errors[0].extensions.code).toMatch(/^GRAPHQL_(PARSE|VALIDATION)_FAILED$/);
    expect(invalid.pulls).toBeLessThan(8);
  }
  const inFragment =
    'mutation ($a: File!) { ...F } fragment F on Mutation { uploadPack(archive: $a) { __typename } }';
  const byFragment = await send([operations(inFragment), map(), FILE]);
  expect(byFragment.body.data.uploadPack.__typename).toBe('ValidationFailed');
  const byRest = await send([FILE], { key: reader, path: '/v1/packs/upload' });
  expect(byRest).toMatchObject({ status: 403, pulls: 0 });
});

test('bodies beyond their bounds are refused with a code', async () => {
  const deep = JSON.stringify({ query: UPLOAD, variables: { a: null } });
  const long = `variables.${'a.'.repeat(200_000)}a`;
  const bad: readonly (readonly [string, readonly Part[], number])[] = [
    ['a path of 200,000 segments', [['name="operations"', deep], map({ f: [long] }), FILE], 400],
    ['thousands of paths', [operations(), map({ f: Array(5_000).fill('variables.a') }), FILE], 400],
    [
      'one file in many places',
      [operations(), map({ f: Array(30).fill('variables.a') }), FILE],
      400,
    ],
    [
      'many files in the map',
      [operations(), map({ 1: [], 2: [], 3: [], 4: [], 5: [] }), FILE],
      400,
    ],
    ['a place twice', [operations(), map({ f: ['variables.a', 'variables.a'] }), FILE], 400],
    ['a place of a prototype', [operations(), map({ f: ['variables.__proto__.a'] }), FILE], 400],
    ['a part without a name', [operations(), map(), ['filename="a"', 'x'], FILE], 400],
    ['operations twice', [operations(), operations(), map(), FILE], 400],
    ['a file in front', [FILE, operations(), map()], 400],
    [
      'a file that nothing names',
      [operations(), map(), ['name="g"; filename="g"', 'x'], FILE],
      400,
    ],
    ['a file that does not come', [operations(), map()], 400],
    [
      'thousands of parts',
      [operations(), map(), ...Array<Part>(5_000).fill(['name="p"', ''])],
      400,
    ],
    [
      'a file beyond MAX_ARCHIVE_BYTES',
      [operations(), map(), ['name="f"', 'x'.repeat(100_001)]],
      413,
    ],
    [
      'a body of nothing but prologue',
      [['name="operations"', 'x'.repeat(1_200_000)], map(), FILE],
      413,
    ],
    ['a map that is no map', [operations(), map([1]), FILE], 400],
  ];
  for (const [what, parts, status] of bad) {
    const answer = await send(parts);
    expect(answer.status, what).toBe(status);
    expect(answer.body.errors[0].extensions.code, what).toBe(
      status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST',
    );
    expect(JSON.stringify(answer.body).length, what).toBeLessThan(1_500);
  }
  expect(gateway.logs.filter(({ level }) => level === 'error')).toEqual([]);
});

test('parts that an operation of REST does not know are refused by their names, and not kept', async () => {
  const stray: Part = ['name="stray"; filename="a"', 'x'.repeat(90_000)];
  const archive: Part = ['name="archive"; filename="a"', 'no archive'];
  const visibility: Part = ['name="visibility"', 'community'];
  const unknown = 'is not a field of this request';
  const misspelt: Part = ['name="visiblity"', 'community'];
  const upload = await send([misspelt, archive, visibility, stray], {
    path: '/v1/packs/upload',
  });
  expect(upload).toMatchObject({ status: 400, body: { error: { code: 'validation_error' } } });
  expect(upload.body.error.details.fields).toEqual({ visiblity: unknown, stray: unknown });
  // The archive, and the directory that it is in.
  expect(upload.onDisk).toBeLessThanOrEqual(2);
  const { id } = await gateway.pack('triage');
  const path = `/v1/packs/${id}/archive`;
  const replacement = await send([archive, visibility], { method: 'PUT', path });
  expect(replacement.body.error.details.fields).toEqual({ visibility: unknown });
});

test('operations and map may be Blobs, and a file needs no name of its own', async () => {
  const asBlob = ([head, content]: Part): Part => [
    `${head}; filename="blob"\r\ncontent-type: application/json`,
    content,
  ];
  const answer = await send([asBlob(operations()), asBlob(map()), ['name="f"', 'no archive']]);
  expect(answer.body.data.uploadPack.code).toBe('VALIDATION_ERROR');
});

test('a File that is no file part is the fault of its sender, in every form', async () => {
  for (const a of ['x', {}, [], 7, true, { path: '/etc/passwd' }]) {
    const answer = await gateway.rest('POST', '/graphql', {
      json: { query: UPLOAD, variables: { a } },
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    });
  }
  for (const literal of ['"x"', '{ path: "x" }', '["x"]']) {
    const query = `mutation { uploadPack(archive: ${literal}) { __typename } }`;
    const answer = await gateway.rest('POST', '/graphql', { json: { query } });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    });
  }
  expect(gateway.logs.filter(({ level }) => level === 'error')).toEqual([]);
});

test('an org has so many uploads at once and no more, and leaves room for others', () => {
  const [one, two, three] = ['1', '2', '3'].map((digit) =>
    orgIds.of(`0190b5a0-0000-7000-8000-00000000000${digit}`),
  );
  if (one === undefined || two === undefined || three === undefined) throw new Error('three orgs');
  const uploads = new AtOnce('uploads', { ofOrg: 2, all: 3 });
  const first = uploads.begin(one);
  uploads.begin(one);
  expect(() => uploads.begin(one)).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  uploads.begin(two);
  expect(() => uploads.begin(three)).toThrow(
    expect.objectContaining({ code: 'service_unavailable' }),
  );
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  uploads.begin(three);
  expect(() => uploads.begin(two)).toThrow(
    expect.objectContaining({ code: 'service_unavailable' }),
  );
});
