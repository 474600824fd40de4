/** How many connections may be open: none costs much, and all of them together a process's memory and descriptors. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from '../identity/network-of.ts';
import { RequestRefused } from '../request-refused.ts';
import type { Handler } from './handler.ts';
import { bytesOf } from './malformed-requests.ts';

const MOST_CONNECTIONS = 10_000;
/** A balancer in front has one address and keeps far fewer open; taking all of them needs several addresses. */
const MOST_OF_NETWORK = 4_000;

/** Answers a connection beyond the bounds with 503, and closes it. */
export function boundConnections(
  server: Server,
  handler: Handler,
  { all, ofNetwork } = { all: MOST_CONNECTIONS, ofNetwork: MOST_OF_NETWORK },
): void {
  const open = new Map<string, number>();
  let total = 0;
  server.prependListener('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '');
    const before = open.get(network) ?? 0;
    open.set(network, before + 1);
    total += 1;
    socket.once('close', () => {
      total -= 1;
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
    if (total > all || before >= ofNetwork) refuse(socket, handler);
  });
}

function refuse(socket: Socket, handler: Handler): void {
  const message = 'Too many connections are open; use those you have, or try again.';
  handler.fail(new RequestRefused('service_unavailable', message), socket.remoteAddress).then(
    async (answer) => socket.end(await bytesOf(answer), () => socket.destroy()),
    () => socket.destroy(),
  );
}
