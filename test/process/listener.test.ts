/** What the listener promises balancers. */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { boundConnections } from '../../src/server/connections.ts';
import type { Handler } from '../../src/server/handler.ts';
import { listen } from '../../src/server/server.ts';

const handler: Handler = {
  fetch: async (request) => new Response(new URL(request.url).pathname),
  fail: async () => new Response('refused', { status: 503, headers: { 'retry-after': '2' } }),
};

async function ask(port: number, ...lines: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${lines.join('\r\n')}\r\n\r\n`);
  return text(socket);
}

test('probes are answered without a Host header, and nothing else is', async () => {
  const server = await listen(handler, 0, '127.0.0.1');
  onTestFinished(() => server.close());
  for (const path of ['/readyz', '/healthz', '/readyz?verbose']) {
    for (const line of [`GET ${path} HTTP/1.0`, `GET ${path} HTTP/1.1`]) {
      expect(await ask(server.port, line, 'connection: close'), line).toMatch(/^HTTP\/1\.1 200 /);
    }
  }
  expect(await ask(server.port, 'GET /v1/packs HTTP/1.1', 'connection: close')).toMatch(/ 503 /);
});

test('an idle connection is kept longer than balancers keep it, or as long as it is told', async () => {
  for (const [keepAliveMs, seconds] of [
    [undefined, 75],
    [120_000, 120],
  ] as const) {
    const server = await listen(handler, 0, '127.0.0.1', keepAliveMs);
    onTestFinished(() => server.close());
    const answer = await fetch(`http://127.0.0.1:${server.port}/healthz`);
    await answer.text();
    expect(answer.headers.get('keep-alive')).toBe(`timeout=${seconds}`);
  }
});

test('a connection beyond the bounds is told to come again, and the others are left alone', async () => {
  const server = createServer((_request, response) => response.end('fine'));
  boundConnections(server, handler, { all: 3, ofNetwork: 2 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const open = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  await expect.poll(() => open.every((socket) => !socket.connecting)).toBe(true);
  const refused = await text(connect(port, '127.0.0.1'));
  expect(refused).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 2/);
  for (const socket of open) {
    socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(await text(socket)).toContain('fine');
  }
});
