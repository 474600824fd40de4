/** What clients and balancers see of a process that was told to stop. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { temporaryDirectory } from './run.ts';

const start = async () =>
  startServer({ DATABASE_URL: await createDatabase(), DATA_DIR: temporaryDirectory() });

test('SIGTERM: not ready at once, still answering, clients sent elsewhere, then gone', {
  timeout: 180_000,
}, async () => {
  const server = await start();
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  expect(await ask(agent, server, '/readyz')).toMatchObject({
    status: 200,
    connection: 'keep-alive',
    body: { status: 'ready' },
  });
  expect(await operate(agent, server)).toMatchObject({ status: 200, connection: 'keep-alive' });

  const signalledAt = performance.now();
  server.terminate();
  await expect
    .poll(() => server.logs)
    .toContainEqual(expect.objectContaining({ msg: 'draining', signal: 'SIGTERM' }));
  // On the connection that was idle at the signal, and on new ones: every way in.
  expect(await operate(agent, server)).toMatchObject({
    status: 200,
    connection: 'close',
    body: { data: { viewer: { org: { slug: 'default' } } } },
    reused: true,
  });
  expect(await operate(agent, server)).toMatchObject({
    status: 200,
    connection: 'close',
    reused: false,
  });
  expect(await ask(agent, server, '/readyz')).toMatchObject({
    status: 503,
    connection: 'close',
    body: { status: 'draining' },
  });
  expect(await ask(agent, server, '/healthz')).toMatchObject({ status: 200, connection: 'close' });
  expect(await ask(agent, server, '/v1/packs')).toMatchObject({
    status: 200,
    connection: 'close',
    body: { packs: [] },
  });

  expect(await server.exited).toBe(0);
  expect(performance.now() - signalledAt).toBeLessThan(15_000);
  await expect(ask(agent, server, '/healthz')).rejects.toThrow('ECONNREFUSED');
});

test('a second signal ends the process at once, but not the copy of the first that npm passes on', {
  timeout: 180_000,
}, async () => {
  const environment = { DATABASE_URL: await createDatabase(), DATA_DIR: temporaryDirectory() };
  const [copied, repeated] = await Promise.all([
    startServer(environment),
    startServer(environment),
  ]);
  for (const server of [copied, repeated]) server.terminate();
  // Signals that are still pending are merged into one; these are two.
  await pause(50);
  copied.terminate();
  await pause(1_000);
  const repeatedAt = performance.now();
  repeated.interrupt();
  expect(await repeated.exited).toBe(1);
  // The first signal alone would have kept it for two seconds more.
  expect(performance.now() - repeatedAt).toBeLessThan(1_500);
  expect(await copied.exited).toBe(0);
});

test('an upload that goes on for ever does not hold the process for more than 15 s', {
  timeout: 180_000,
}, async () => {
  const server = await start();
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(
    [
      'POST /v1/packs/upload HTTP/1.1',
      'host: gateway',
      `authorization: Bearer ${OWNER_KEY}`,
      'content-type: multipart/form-data; boundary=x',
      'content-length: 100000',
      '',
      '--x\r\ncontent-disposition: form-data; name="archive"; filename="a.tar.gz"\r\n\r\nabc',
    ].join('\r\n'),
  );
  const drip = setInterval(() => socket.write('.'), 200);
  onTestFinished(() => clearInterval(drip));
  // An answer after it was sent means that the upload has arrived as well.
  expect(await ask(new Agent(), server, '/healthz')).toMatchObject({ status: 200 });
  const signalledAt = performance.now();
  server.interrupt();
  await pause(1_500);
  expect(socket.closed).toBe(false);
  expect(await server.exited).toBe(0);
  expect(performance.now() - signalledAt).toBeLessThan(15_000);
  // Such as that the drain took too long.
  expect(server.logs.filter(({ level }) => level === 'error')).toEqual([]);
});

function operate(agent: Agent, server: ServerProcess) {
  const headers = { 'content-type': 'application/json' };
  return ask(agent, server, '/graphql', { method: 'POST', headers }, '{ viewer { org { slug } } }');
}

async function ask(
  agent: Agent,
  { url }: ServerProcess,
  path: string,
  options: RequestOptions = {},
  query?: string,
) {
  const headers = { ...options.headers, authorization: `Bearer ${OWNER_KEY}` };
  const outgoing = request(`${url}${path}`, { ...options, agent, headers });
  const arrived = once(outgoing, 'response');
  outgoing.end(query === undefined ? undefined : JSON.stringify({ query }));
  const [response]: IncomingMessage[] = await arrived;
  if (response === undefined) throw new Error('no response');
  const { connection } = response.headers;
  const body = JSON.parse(await text(response));
  return { status: response.statusCode, connection, body, reused: outgoing.reusedSocket };
}
