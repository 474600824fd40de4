/** Whom a stop of the listener waits for. */
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Handler } from '../../src/server/handler.ts';
import { listen, type Server } from '../../src/server/server.ts';
import { rawRequest } from '../security/raw-http.ts';

const MORE_THAN_SOCKETS_HOLD = 'x'.repeat(20_000_000);
const LONGER_THAN_A_SILENCE_MS = 1_300;

const answering = (body: string): Handler => ({
  fetch: async () => new Response(body),
  fail: async () => new Response(body, { status: 400 }),
});

const ask = (server: Server) => {
  const socket = connect(server.port, '127.0.0.1');
  const request = rawRequest('POST /graphql', ['content-type: application/json'], '{}');
  return { socket, head: request.slice(0, -2), body: '{}' };
};

test('whoever is still reading the answer to an operation', async () => {
  const server = await listen(answering(MORE_THAN_SOCKETS_HOLD), 0, '127.0.0.1');
  const { socket, head, body } = ask(server);
  socket.write(head + body);
  await expect.poll(() => socket.bytesRead).toBeGreaterThan(0);
  let isClosed = false;
  const closed = server.close().then(() => {
    isClosed = true;
  });
  await pause(LONGER_THAN_A_SILENCE_MS);
  expect(isClosed).toBe(false);
  expect((await buffer(socket)).length).toBeGreaterThan(MORE_THAN_SOCKETS_HOLD.length);
  await closed;
});

test('whoever is still sending the operation', async () => {
  const server = await listen(answering('the answer'), 0, '127.0.0.1');
  const { socket, head, body } = ask(server);
  socket.write(head);
  // The head has arrived once somebody who came later has been answered.
  await fetch(`http://127.0.0.1:${server.port}/`).then((response) => response.text());
  const closed = server.close();
  await pause(LONGER_THAN_A_SILENCE_MS);
  socket.write(body);
  expect((await buffer(socket)).toString()).toMatch(/the answer$/);
  await closed;
});
