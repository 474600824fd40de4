/** Requests that end in Node's HTTP parser or before any route: their answers carry an id and a code as well. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/server/server.ts';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { rawRequest, sendRaw } from './raw-http.ts';

const GET = rawRequest('GET /v1/packs', []);
const json = 'content-type: application/json';

const malformed: readonly [string, number, string][] = [
  ['no Host', 400, GET.replace('host: gateway\r\n', '')],
  ['an empty Host', 400, GET.replace('host: gateway', 'host:')],
  ['two of them', 400, rawRequest('GET /v1/packs', ['host: other'])],
  ['a Host that is none', 400, GET.replace('host: gateway', 'host: [a b')],
  [
    'no Host for an operation',
    400,
    rawRequest('POST /graphql', [json], '{}').replace('host: gateway\r\n', ''),
  ],
  ['the server as a whole', 400, rawRequest('OPTIONS *', [])],
  ['a target that is no path', 400, rawRequest('GET http://[', [])],
  ['another protocol', 400, 'HELO gateway\r\n\r\n'],
  ['two lengths', 400, rawRequest('POST /v1/packs', ['content-length: 1', 'content-length: 2'])],
  ['an unknown expectation', 417, rawRequest('POST /v1/packs', ['expect: 200-ok'], '{}')],
  ['headers that are too long', 431, rawRequest('GET /v1/packs', [`x: ${'y'.repeat(50_000)}`])],
];

test('every answer carries the id of its line in the log, whatever was sent', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const origin = await listening(gateway);
  for (const [what, status, bytes] of malformed) {
    const answer = await sendRaw(origin, bytes);
    expect(answer, what).toMatchObject({ status, answers: 1 });
    const requestId = /^x-request-id: (\S+)$/im.exec(answer.headers)?.[1];
    expect(requestId, what).toBeDefined();
    expect(JSON.parse(/\{.*\}/s.exec(answer.body)?.[0] ?? ''), what).toEqual({
      error: { code: 'bad_request', message: expect.any(String), request_id: requestId },
    });
    expect(gateway.logs.at(-1), what).toMatchObject({ requestId, status, outcome: 'bad_request' });
  }
  expect(gateway.logs.filter(({ level }) => level === 'error')).toEqual([]);
});

test('what only begins like the type of an operation is none', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const origin = await listening(gateway);
  const headers = [`authorization: Bearer ${OWNER_KEY}`, 'content-type: application/jsonp'];
  const answer = await sendRaw(
    origin,
    rawRequest('POST /graphql', headers, '{"query":"{__typename}"}'),
  );
  expect(answer.status).toBe(415);
  expect(answer.body).toContain('UNSUPPORTED_MEDIA_TYPE');
});

test('an answer that has begun is not garbled by what its client sends after the request', async () => {
  const begun = new ReadableStream({ start: (controller) => controller.enqueue('the beginning') });
  const server = await listen(
    {
      fetch: async () => new Response(begun.pipeThrough(new TextEncoderStream())),
      fail: async () => new Response('a second answer', { status: 400 }),
    },
    0,
    '127.0.0.1',
  );
  onTestFinished(() => server.close());
  const socket = connect(server.port, '127.0.0.1');
  const received = text(socket);
  socket.write('GET / HTTP/1.1\r\nhost: gateway\r\n\r\n');
  await once(socket, 'data');
  socket.write('nonsense\r\n\r\n');
  expect(await received).toContain('the beginning');
  expect(await received).not.toContain('a second answer');
});
