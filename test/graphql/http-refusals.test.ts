/** What /graphql refuses as HTTP: always with a code and the request's id, and before anything is changed. */
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const ORIGIN = 'https://app.example';
const SMALL = { query: '{ viewer { org { slug } } }' };
const CREATE = {
  query: `mutation { createAgentRole(input: {
    name: "made", displayName: "Made", environment: STAGING }) { __typename } }`,
};

const start = () =>
  startGateway({
    database: 'postgres',
    environment: { CORS_ORIGINS: `${ORIGIN},https://b.example` },
  });

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

async function send(
  { app }: Gateway,
  { method = 'POST', path = '/graphql', headers = {}, body }: Sent,
): Promise<Answer> {
  const request = new Request(`http://gateway${path}`, {
    method,
    headers: { origin: ORIGIN, authorization: `Bearer ${OWNER_KEY}`, ...headers },
    body: body ?? null,
  });
  const response = await app.fetch(request);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text,
  };
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A POST of JSON. */
const json = (body: unknown, headers: Record<string, string> = {}): Sent => ({
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** With a code, an id that the log knows, and all that a browser needs to show them to its page. */
function expectRefused(gateway: Gateway, answer: Answer, status: number, code: string): void {
  const requestId = answer.headers.get('x-request-id');
  expect(requestId).not.toBeNull();
  expect(answer).toMatchObject({
    status,
    body: { errors: [{ message: expect.any(String), extensions: { code, requestId } }] },
  });
  expect(gateway.logs.findLast(({ msg }) => msg === 'request')).toMatchObject({
    requestId,
    status,
    outcome: code.toLowerCase(),
  });
  expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  const exposed = answer.headers.get('access-control-expose-headers')?.split(', ');
  expect(exposed?.toSorted()).toEqual([
    'content-disposition',
    'etag',
    'retry-after',
    'x-request-id',
  ]);
}

describe('/graphql refuses', () => {
  test('an answer in a form that it does not have, before the mutation is run', async () => {
    const gateway = await start();
    const acceptless = ['text/html', 'image/*', 'application/json;charset=latin1', 'nonsense'];
    for (const accept of acceptless) {
      const answer = await send(gateway, json(CREATE, { accept }));
      expectRefused(gateway, answer, 406, 'NOT_ACCEPTABLE');
    }
    expect((await gateway.rest('GET', '/v1/agent-roles')).body.agent_roles).toEqual([]);
    for (const accept of ['text/html, */*;q=0.1', 'Application/JSON', 'multipart/mixed', '']) {
      expect((await send(gateway, json(SMALL, { accept }))).status, accept).toBe(200);
    }
  });

  test('a subscription whose client wants no stream', async () => {
    const gateway = await start();
    const query = 'subscription { packEvents { type } }';
    for (const accept of ['application/json', 'multipart/mixed, application/json']) {
      const answer = await send(gateway, json({ query }, { accept }));
      expectRefused(gateway, answer, 406, 'NOT_ACCEPTABLE');
    }
    const answer = await send(gateway, json({ query }, { accept: 'multipart/mixed' }));
    expect(answer.body.errors[0].extensions.code).toBe('NOT_ACCEPTABLE');
    expect(await (await gateway.app.fetch(new Request('http://gateway/metrics'))).text()).toMatch(
      /^pack_gateway_event_streams 0$/m,
    );
  });

  test('a body of another type, but none for the letters in which it names its type', async () => {
    const gateway = await start();
    for (const type of ['text/plain', 'application/jsonp', 'application/json-seq; x=y', '']) {
      const answer = await send(gateway, json(CREATE, { 'content-type': type }));
      expectRefused(gateway, answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    }
    for (const type of ['Application/JSON', 'application/json ; charset=utf-8']) {
      expect((await send(gateway, json(SMALL, { 'content-type': type }))).status, type).toBe(200);
    }
  });

  test('a request that chooses none of its operations, and says which there are', async () => {
    const gateway = await start();
    const two = 'query A { __typename } query B { __typename }';
    for (const [query, operationName, words] of [
      [two, 'C', 'The document has no operation "C"; it has "A", "B".'],
      [
        two,
        undefined,
        'The document has several operations: name one by "operationName" ("A", "B").',
      ],
      ['{ __typename }', 'A', 'The document has no operation "A"; it has a nameless one.'],
      [
        'fragment F on Query { __typename }',
        undefined,
        'The document has no operation, only definitions for one.',
      ],
    ] as const) {
      for (const _time of [1, 2]) {
        const answer = await send(gateway, json({ query, operationName }));
        expectRefused(gateway, answer, 400, 'BAD_REQUEST');
        expect(answer.body.errors[0].message).toBe(words);
      }
    }
  });

  test('a document whose variables are wrong, as any other that is not valid', async () => {
    const gateway = await start();
    for (const query of [
      'query ($a: Int) { __typename }',
      'query ($a: Int) { pack(id: $a) { id } }',
    ]) {
      const sent = json({ query }, { accept: 'application/graphql-response+json' });
      expectRefused(gateway, await send(gateway, sent), 400, 'GRAPHQL_VALIDATION_FAILED');
    }
  });

  test('a subscription whose root depends on a condition, and says what to do', async () => {
    const gateway = await start();
    for (const query of [
      'subscription { roleEvents @skip(if: true) { type } }',
      'subscription ($x: Boolean!) { ...F } fragment F on Subscription { ... on Subscription { roleEvents @include(if: $x) { type } } }',
    ]) {
      const sent = json({ query, variables: { x: true } }, { accept: 'text/event-stream' });
      const answer = await send(gateway, sent);
      expect(JSON.stringify(answer.body)).toContain('leave the whole operation out');
      expect(JSON.stringify(answer.body)).toContain('GRAPHQL_VALIDATION_FAILED');
    }
    const below = 'subscription ($x: Boolean!) { roleEvents { type @skip(if: $x) } }';
    const sent = json(
      { query: below, variables: { x: 'no Boolean' } },
      { accept: 'text/event-stream' },
    );
    expect(JSON.stringify((await send(gateway, sent)).body)).toContain('BAD_REQUEST');
  });

  test('a method that it does not have, and says which it has', async () => {
    const gateway = await start();
    const path = `/graphql?query=${encodeURIComponent(CREATE.query)}`;
    for (const [method, allow] of [
      ['DELETE', 'GET, POST'],
      ['GET', 'POST'],
    ] as const) {
      const answer = await send(gateway, { method, path });
      expectRefused(gateway, answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')).toBe(allow);
    }
  });

  test('parameters that are no JSON, or no parameters at all', async () => {
    const gateway = await start();
    for (const parameter of ['variables', 'extensions']) {
      const parameters = new URLSearchParams({ ...SMALL, [parameter]: '{"a":' }).toString();
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      for (const sent of [
        { method: 'GET', path: `/graphql?${parameters}` },
        { headers: form, body: parameters },
      ]) {
        expectRefused(gateway, await send(gateway, sent), 400, 'BAD_REQUEST');
      }
    }
    const empty = await send(gateway, json([]));
    expectRefused(gateway, empty, 400, 'BAD_REQUEST');
    expect(empty.body.errors[0].message).toContain('list');
  });

  test('more values or levels than any input has, before they are parsed', async () => {
    const gateway = await start();
    const sent = (value: string) =>
      send(gateway, { ...json({}), body: `{"query":"{ __typename }","variables":{"a":${value}}}` });
    const levels = (count: number) => `${'['.repeat(count)}${']'.repeat(count)}`;
    for (const value of [`[${'1,'.repeat(20_000)}1]`, levels(199), levels(400_000)]) {
      expectRefused(gateway, await sent(value), 413, 'PAYLOAD_TOO_LARGE');
    }
    // What stands in a text is no value.
    for (const value of [
      `[${Array(5).fill(`"${'[,{\\"'.repeat(4_000)}"`)}]`,
      `[${'1,'.repeat(19_000)}1]`,
      levels(198),
    ]) {
      expect((await sent(value)).body).toEqual({ data: { __typename: 'Query' } });
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const query = 'query=%7B__typename%7D';
    const many = await send(gateway, { headers: form, body: `${query}${'&a'.repeat(400_000)}` });
    expectRefused(gateway, many, 400, 'BAD_REQUEST');
  });

  test('more than it takes, and what breaks off', async () => {
    const gateway = await start();
    const large = await send(gateway, json({ query: 'x'.repeat(1024 ** 2) }));
    expectRefused(gateway, large, 413, 'PAYLOAD_TOO_LARGE');
    const hungUp = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    const body = new ReadableStream({ pull: (controller) => controller.error(hungUp) });
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: { authorization: `Bearer ${OWNER_KEY}`, 'content-type': 'application/json' },
      body,
      duplex: 'half',
    };
    const brokenOff = await gateway.app.fetch(new Request('http://gateway/graphql', init));
    expect(brokenOff.status).toBe(400);
    expect(gateway.logs.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('with a masked message what nobody expected, and logs it', async () => {
    const gateway = await start();
    Object.assign(gateway.app.world.database, {
      gather: () => Promise.reject(new Error('the secret of the house')),
    });
    for (const sent of [json(SMALL), { method: 'GET', path: '/graphql?query={__typename}' }]) {
      const answer = await send(gateway, sent);
      expectRefused(gateway, answer, 500, 'INTERNAL_ERROR');
      expect(JSON.stringify(answer.body)).not.toContain('house');
      expect(gateway.logs.findLast(({ level }) => level === 'error')).toMatchObject({
        requestId: answer.headers.get('x-request-id'),
        err: { message: 'the secret of the house' },
      });
    }
  });

  test('with a word about trying again while the database is away, and logs why', async () => {
    const gateway = await start();
    const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    Object.assign(gateway.app.world.database, { gather: () => Promise.reject(cause) });
    const answer = await send(gateway, json(SMALL));
    expectRefused(gateway, answer, 503, 'SERVICE_UNAVAILABLE');
    const byRest = await send(gateway, { method: 'GET', path: '/v1/packs' });
    expect(byRest).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
    expect(byRest.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    const outages = gateway.logs.filter(({ msg }) => msg === 'an outage');
    expect(outages).toMatchObject([
      { requestId: answer.headers.get('x-request-id'), err: { code: 'ECONNREFUSED' } },
      { requestId: byRest.headers.get('x-request-id'), err: { code: 'ECONNREFUSED' } },
    ]);
  });
});

test('a file in the place of a text is refused without a word about where it lies', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  for (const type of ['ID', 'String', 'PackVisibility']) {
    const form = new FormData();
    const query = `query ($it: ${type}!) { node(id: $it) { id } }`;
    form.set('operations', JSON.stringify({ query, variables: { it: null } }));
    form.set('map', JSON.stringify({ file: ['variables.it'] }));
    form.set('file', new File(['x'], 'pack.tar.gz'));
    const headers = { authorization: `Bearer ${OWNER_KEY}` };
    const request = new Request('http://gateway/graphql', { method: 'POST', headers, body: form });
    const answer = await (await gateway.app.fetch(request)).text();
    expect(answer).toContain('errors');
    expect(answer).not.toMatch(new RegExp(`${tmpdir()}|pack-gateway-work`));
  }
});
