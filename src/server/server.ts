import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, Server as TcpServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { getRequestListener, RequestError } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Response as YogaResponse } from '@whatwg-node/fetch';
import { sendNodeResponse } from '@whatwg-node/server';
import { boundConnections } from './connections.ts';
import type { Handler } from './handler.ts';
import { InFlight } from './in-flight.ts';
import { linger } from './linger.ts';
import { refuseMalformed, unroutable } from './malformed-requests.ts';

export interface Server {
  readonly port: number;
  /** Goes on accepting and answering, but each answer tells its client to use another connection from now on. */
  drain(): void;
  /** Stops accepting, waits for every request in flight to be answered (its deletion included), and closes. */
  close(): Promise<void>;
}

/** How long a client may take to send the rest of its request, such as an upload, once the listener is closed. */
const LONGEST_SENDING_MS = 7_000;
/**
 * And how long to read the rest of its answer: a second less than the process has, after the grace, before it is ended.
 */
const LONGEST_READING_MS = 10_500;
/**
 * A client that reads nothing of its answer for so long may have left: Node looks twice, and ends the connection within
 * two of these. A stream of events has a heartbeat meanwhile.
 */
const LONGEST_UNREAD_MS = 60_000;
/** How long a connection without a request is left open: one whose headers are on their way looks the same. */
const LONGEST_SILENCE_MS = 1_000;

/** Longer than balancers keep an idle connection (60 s is usual): one that we close first is a 502 to somebody. */
const DEFAULT_KEEP_ALIVE_MS = 75_000;
/** Balancers ask these without a Host header (HTTP/1.0, HAProxy's plain httpchk). */
const PROBES = /^\/(?:healthz|readyz)(?:\?|$)/;

/** Tells when its last byte is sent, or nobody is there to read it. */
class Answer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  readonly sent = new Promise<void>((resolve) => {
    this.once('close', resolve);
  });
}

const SERVER_OPTIONS = {
  ServerResponse: Answer,
  // Of a repeated Authorization Node would keep the first, a proxy in front perhaps the last; joined, it is no valid
  // token.
  joinDuplicateHeaders: true,
  // Refused by us instead, with a request id.
  requireHostHeader: false,
};

/**
 * Listens.
 * @throws the listener's error, such as EADDRINUSE
 */
export async function listen(
  handler: Handler,
  port: number,
  host: string,
  keepAliveMs = DEFAULT_KEEP_ALIVE_MS,
): Promise<Server> {
  const inFlight = new InFlight();
  let isDraining = false;
  // A client that hangs up ends its socket, not the work: the handler's own promise is what a drain waits for as well.
  const listener = getRequestListener(
    async (request, { incoming, outgoing: made }) => {
      // `createServer` below makes no other kind of response.
      const outgoing = made as Answer;
      const answer = handler.fetch(request, incoming.socket.remoteAddress, outgoing.sent);
      inFlight.add(outgoing, answer);
      const response = await answer;
      if (incoming instanceof IncomingMessage && !incoming.complete) linger(incoming);
      // An answer that makes no progress has no reader.
      outgoing.setTimeout(LONGEST_UNREAD_MS);
      if (!(response instanceof YogaResponse)) return response;
      // Of one of Yoga's it knows the text; the listener would make a stream of it.
      await sendNodeResponse(response, outgoing, incoming, true);
      return RESPONSE_ALREADY_SENT;
    },
    {
      overrideGlobalObjects: false,
      errorHandler: (error) => handler.fail(error instanceof RequestError ? unroutable() : error),
    },
  );
  const server = createServer(SERVER_OPTIONS, (incoming, outgoing) => {
    if (isDraining) outgoing.shouldKeepAlive = false;
    if (PROBES.test(incoming.url ?? '')) incoming.headers.host ??= 'localhost';
    inFlight.add(outgoing, outgoing.sent);
    return listener(incoming, outgoing);
  });
  refuseMalformed(server, handler, (socket) =>
    inFlight.entries().some(({ outgoing }) => outgoing.socket === socket && outgoing.headersSent),
  );
  boundConnections(server, handler);
  server.keepAliveTimeout = keepAliveMs;
  // A slow sender is cut off, from the first byte that it sends; an upload gets ten minutes.
  server.headersTimeout = 30_000;
  server.requestTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const drain = () => {
    isDraining = true;
    for (const { outgoing } of inFlight.entries()) outgoing.shouldKeepAlive = false;
  };
  return {
    // A TCP server that listens has an address with a port.
    port: (server.address() as AddressInfo).port,
    drain,
    async close() {
      drain();
      // Without what `server.close` does first: to Node a connection is idle, and cut, whose answer is not sent yet.
      const closed = new Promise<void>((resolve) => {
        TcpServer.prototype.close.call(server, () => resolve());
      });
      const sendingEnds = setTimeout(() => {
        for (const { outgoing } of inFlight.entries()) {
          if (!outgoing.req.complete) outgoing.req.destroy();
        }
      }, LONGEST_SENDING_MS);
      const readingEnds = setTimeout(() => {
        for (const { outgoing } of inFlight.entries()) {
          if (outgoing.headersSent) outgoing.destroy();
        }
      }, LONGEST_READING_MS);
      // A client that was still sending when all others had their answers may have become a request meanwhile.
      do {
        while (inFlight.size > 0) {
          await Promise.allSettled(inFlight.entries().map(({ answer }) => answer));
        }
        server.closeIdleConnections();
        await Promise.race([closed, pause(LONGEST_SILENCE_MS)]);
      } while (inFlight.size > 0);
      clearTimeout(sendingEnds);
      clearTimeout(readingEnds);
      server.closeAllConnections();
    },
  };
}
