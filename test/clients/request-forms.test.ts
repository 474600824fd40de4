/** How clients and what stands before them write one and the same request. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { expect, onTestFinished, test } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const start = () => startGateway({ database: 'postgres' });
const QUERY = '{ viewer { org { slug } } }';
const ANSWER = { data: { viewer: { org: { slug: 'default' } } } };

interface Sent {
  readonly body: string | Uint8Array<ArrayBuffer> | FormData;
  readonly headers?: Record<string, string>;
}

async function post({ app }: Gateway, { body, headers = {} }: Sent) {
  const response = await app.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { authorization: `Bearer ${OWNER_KEY}`, ...headers },
      body,
    }),
  );
  const answer: Json = await response.json();
  return { status: response.status, type: response.headers.get('content-type'), answer };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const json = (parameters: object): Sent => ({
  body: JSON.stringify(parameters),
  headers: JSON_TYPE,
});
const gzipped = (text: string) => new Uint8Array(gzipSync(text));

test.each<[string, Sent]>([
  ['with an empty name for its operation', json({ query: QUERY, operationName: '' })],
  ["with Relay's id and other parameters", json({ query: QUERY, id: 'x', doc_id: 1, key: null })],
  [
    'with its charset in quotes',
    {
      body: JSON.stringify({ query: QUERY }),
      headers: { 'content-type': 'application/json; charset="utf-8"' },
    },
  ],
  [
    'with a compressed body',
    {
      body: gzipped(JSON.stringify({ query: QUERY })),
      headers: { ...JSON_TYPE, 'content-encoding': 'GZIP' },
    },
  ],
])('an operation is read %s', async (_how, sent) => {
  const { status, answer } = await post(await start(), sent);
  expect({ status, answer }).toEqual({ status: 200, answer: ANSWER });
});

/** By a real connection: a body with its length is read another way than one in chunks. */
async function sendBytes(origin: string, path: string, body: Buffer, headers: object) {
  const framed = async (one: Buffer | ReadableStream) => {
    const response = await fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OWNER_KEY}`, ...headers },
      body: one,
      duplex: 'half',
    } as RequestInit);
    const answer: Json = await response.json();
    return { status: response.status, answer };
  };
  return [await framed(body), await framed(new Blob([new Uint8Array(body)]).stream())];
}

test('a body may begin with the mark of its byte order, however it is sent', async () => {
  const origin = await listening(await start());
  const body = Buffer.from(`\ufeff${JSON.stringify({ query: QUERY })}`);
  const whole = { status: 200, answer: ANSWER };
  expect(await sendBytes(origin, '/graphql', body, JSON_TYPE)).toEqual([whole, whole]);
  const role = Buffer.from('\ufeff{}');
  for (const { answer } of await sendBytes(origin, '/v1/agent-roles', role, JSON_TYPE)) {
    expect(answer.error.code).toBe('validation_error');
  }
});

test('a body that is not UTF-8 is refused, however it is sent, and nothing of it is kept as something else', async () => {
  const gateway = await start();
  const origin = await listening(gateway);
  const role = Buffer.from('{"name":"r","display_name":"caf\xe9"}', 'latin1');
  const operation = Buffer.from(`{"query":"{ __typename } # \xe9"}`, 'latin1');
  const latin = { 'content-type': 'application/json; charset=iso-8859-1' };
  for (const [headers, status] of [
    [latin, 415],
    [{ 'content-type': 'application/json; charset="utf-16"' }, 415],
    [JSON_TYPE, 400],
  ] as const) {
    for (const [path, body] of [
      ['/v1/agent-roles', role],
      ['/graphql', operation],
    ] as const) {
      for (const answer of await sendBytes(origin, path, body, headers)) {
        expect(answer.status, `${path} ${headers['content-type']}`).toBe(status);
      }
    }
  }
  expect((await gateway.rest('GET', '/v1/agent-roles')).body.agent_roles).toEqual([]);
});

const CREATE =
  'mutation ($name: String!) { createAgentRole(input: { name: "r", displayName: $name }) { __typename } }';

test('neither a form nor an address is taken whose letters are not UTF-8', async () => {
  const gateway = await start();
  const key = { authorization: `Bearer ${OWNER_KEY}` };
  const search = (name: string) =>
    `query=${encodeURIComponent(CREATE)}&variables={"name":"${name}"}`;
  const form = (name: string) =>
    post(gateway, {
      body: search(name),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  const refused = { status: 400, answer: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] } };
  expect(await form('caf%E9')).toMatchObject(refused);
  expect(await form('caf%C3')).toMatchObject(refused);
  const got = await gateway.app.fetch(
    new Request(`http://localhost/graphql?query=${encodeURIComponent('{ __typename }')}&x=%E9`, {
      headers: key,
    }),
  );
  expect([got.status, (await got.json()).errors[0].message]).toEqual([
    400,
    expect.stringContaining('UTF-8'),
  ]);
  expect(await form('caf%C3%A9 100%')).toMatchObject({
    answer: { data: { createAgentRole: { __typename: 'CreatedAgentRole' } } },
  });
  const [role] = (await gateway.rest('GET', '/v1/agent-roles')).body.agent_roles;
  expect(role.display_name).toBe('café 100%');
});

test.each([
  ['text/plain', 'latin1', 400],
  ['text/plain; charset=utf-8', 'latin1', 400],
  ['text/plain', 'utf8', 200],
  ['text/plain; charset=iso-8859-1', 'latin1', 200],
] as const)('a part of %s with letters in %s is answered %d', async (type, encoding, status) => {
  const gateway = await start();
  const operations = JSON.stringify({ query: CREATE, variables: { name: 'café' } });
  const body = Buffer.from(
    `--B\r\nContent-Disposition: form-data; name="operations"\r\nContent-Type: ${type}\r\n\r\n${operations}\r\n` +
      '--B\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--B--\r\n',
    encoding,
  );
  const headers = {
    'content-type': 'multipart/form-data; boundary=B',
    'apollo-require-preflight': '1',
  };
  const answer = await post(gateway, { body, headers });
  expect(answer.status).toBe(status);
  const roles = (await gateway.rest('GET', '/v1/agent-roles')).body.agent_roles;
  expect(roles.map(({ display_name }: Json) => display_name)).toEqual(
    status === 200 ? ['café'] : [],
  );
});

test('a compressed body is counted as it unpacks, and one that is broken is refused', async () => {
  const gateway = await start();
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
  const bomb = await post(gateway, { body: gzipped(' '.repeat(16 * 1024 ** 2)), headers });
  expect([bomb.status, bomb.answer.errors[0].extensions.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  for (const body of [gzipped(JSON.stringify({ query: QUERY })).slice(0, -9), 'no gzip']) {
    const broken = await post(gateway, { body, headers });
    expect([broken.status, broken.answer.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST']);
  }
});

test.each([
  ['application/json;q=0.5, application/graphql-response+json;q=0.9', 'graphql-response+json'],
  ['application/graphql-response+json;q=0.1, application/json;q=0.9', 'json'],
  ['application/graphql-response+json; charset="utf-8"', 'graphql-response+json'],
  ['application/graphql-response+json;q=0, application/json', 'json'],
])('what is asked for most is answered: %s', async (accept, type) => {
  const { headers, ...sent } = json({ query: QUERY });
  const answer = await post(await start(), { ...sent, headers: { ...headers, accept } });
  expect(answer).toMatchObject({ status: 200, type: `application/${type}; charset=utf-8` });
});

test.each([
  [
    'of the wrong type',
    'query ($first: Int) { packs(first: $first) { totalCount } }',
    { first: 'x' },
  ],
  ['that is missing', 'query ($id: ID!) { pack(id: $id) { id } }', {}],
  [
    'that no enum has',
    'query ($filter: PackFilter) { packs(filter: $filter) { totalCount } }',
    { filter: { tier: 'BEST' } },
  ],
  [
    'that is no date',
    'query ($filter: AuditEventFilter) { auditEvents(filter: $filter) { totalCount } }',
    { filter: { since: 'yesterday' } },
  ],
])('a variable %s has one code', async (_how, query, variables) => {
  const { status, answer } = await post(await start(), json({ query, variables }));
  expect([status, answer.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST']);
});

test.each<[string, (form: FormData, operations: string, archive: Uint8Array) => void]>([
  [
    'its operations as a blob',
    (form, operations, archive) => {
      form.set('operations', new Blob([operations], { type: 'application/json' }));
      form.set('map', new Blob(['{"0":["variables.archive"]}'], { type: 'application/json' }));
      form.set('0', new Blob([new Uint8Array(archive)]), 'pack.tar.gz');
    },
  ],
  [
    'a file that is called blob',
    (form, operations, archive) => {
      form.set('operations', operations);
      form.set('map', '{"0":["variables.archive"]}');
      form.set('0', new Blob([new Uint8Array(archive)]));
    },
  ],
])('an upload may send %s', async (_how, fill) => {
  const form = new FormData();
  const query =
    'mutation ($archive: File!) { uploadPack(archive: $archive) { __typename ... on Error { message } } }';
  const operations = JSON.stringify({ query, variables: { archive: null } });
  fill(form, operations, samplePack());
  const { answer } = await post(await start(), { body: form });
  expect(answer).toEqual({ data: { uploadPack: { __typename: 'UploadedPack' } } });
});

test('a file without a filename is a file', async () => {
  const query =
    'mutation ($archive: File!) { uploadPack(archive: $archive) { __typename ... on Error { message } } }';
  const parts = [
    ['operations', JSON.stringify({ query, variables: { archive: null } })],
    ['map', '{"0":["variables.archive"]}'],
  ].map(
    ([name, text]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
  );
  const opening = `${parts.join('')}--b\r\ncontent-disposition: form-data; name="0"\r\ncontent-type: application/gzip\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(opening), samplePack(), Buffer.from('\r\n--b--\r\n')]);
  const { answer } = await post(await start(), {
    body: new Uint8Array(body),
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  });
  expect(answer).toEqual({ data: { uploadPack: { __typename: 'UploadedPack' } } });
});

test("Apollo Client's persisted-query link learns that hashes are not kept, and sends the text", async () => {
  const gateway = await start();
  const http = new HttpLink({
    uri: `${await listening(gateway)}/graphql`,
    headers: { authorization: `Bearer ${OWNER_KEY}` },
  });
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const client = new ApolloClient({
    link: new PersistedQueryLink({ sha256 }).concat(http),
    cache: new InMemoryCache(),
  });
  onTestFinished(() => client.stop());
  const ask = async (query: string) => (await client.query({ query: gql(query) })).data;
  expect(await ask(QUERY)).toMatchObject(ANSWER.data);
  expect(await ask('{ packs { totalCount } }')).toMatchObject({ packs: { totalCount: 0 } });
  // The hash once, then it is known that none is kept.
  expect(gateway.logs.filter(({ route }) => route === 'graphql')).toHaveLength(3);
});

test('the log names operation, client and request as their sender did, each cut', async () => {
  const gateway = await start();
  const long = 'x'.repeat(1_000);
  const cut = expect.stringMatching(/^x{90,100}…?$/);
  const { headers, ...sent } = json({ query: `query Who${QUERY}` });
  await post(gateway, {
    ...sent,
    headers: {
      ...headers,
      'apollographql-client-name': 'console',
      'apollographql-client-version': long,
      'x-request-id': long,
    },
  });
  await post(gateway, { ...sent, headers: { ...headers, 'graphql-client-name': 'cli' } });
  expect(gateway.logs.filter(({ route }) => route === 'graphql')).toMatchObject([
    { operationName: 'Who', client: 'console', clientVersion: cut, clientRequestId: cut },
    { operationName: 'Who', client: 'cli' },
  ]);
});
