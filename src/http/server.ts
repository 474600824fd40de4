import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { answerPlainOperation, isPlainOperation } from './graphql-listener.ts';
import type { Handler } from './handler.ts';

export interface Server {
  readonly port: number;
  /** Stops accepting, waits for every request in flight to be answered (its deletion included), and closes. */
  close(): Promise<void>;
}

/**
 * Listens.
 * @throws the listener's error, such as EADDRINUSE
 */
export async function listen(handler: Handler, port: number, host: string): Promise<Server> {
  const inFlight = new Set<Promise<Response>>();
  // A client that hangs up ends its socket, not the work: the handler's own promise is what a drain waits for.
  const tracked: Handler = (request, options) => {
    const answer = handler(request, options);
    inFlight.add(answer);
    const done = () => inFlight.delete(answer);
    answer.then(done, done);
    return answer;
  };
  const general = getRequestListener(
    (request, { incoming }) =>
      tracked(request, { bodyIsRead: false, address: incoming.socket.remoteAddress }),
    { overrideGlobalObjects: false },
  );
  const server = createServer((incoming, outgoing) => {
    if (!isPlainOperation(incoming)) return general(incoming, outgoing);
    // A client that hung up while sending is nobody to answer.
    return answerPlainOperation(tracked, incoming, outgoing).catch(() => outgoing.destroy());
  });
  // A slow sender is cut off; an upload gets ten minutes.
  server.headersTimeout = 30_000;
  server.requestTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    // A TCP server that listens has an address with a port.
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      while (inFlight.size > 0) {
        await Promise.allSettled(inFlight);
        server.closeIdleConnections();
      }
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
      server.closeAllConnections();
    },
  };
}
