/** Requests that Node itself would refuse, in answers that say nothing: these have a code, and an id that is logged. */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import { RequestRefused } from '../request-refused.ts';
import type { Handler } from './handler.ts';

/**
 * Has the handler answer what the parser of `server` refuses.
 * @param isBeingAnswered whether an answer has begun on a socket, which another one would only garble
 */
export function refuseMalformed(
  server: Server,
  handler: Handler,
  isBeingAnswered: (socket: Socket) => boolean,
): void {
  // The parser complains again with each packet that follows, until the socket is closed.
  const refused = new WeakSet<Socket>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // No other kind is a connection to a server that listens.
    if (!(socket instanceof Socket) || refused.has(socket)) return;
    if (error.code === 'ECONNRESET' || !socket.writable || isBeingAnswered(socket)) {
      socket.destroy();
      return;
    }
    refused.add(socket);
    handler.fail(unparsable(error.code), socket.remoteAddress).then(
      async (answer) => socket.end(await bytesOf(answer), () => socket.destroy()),
      () => socket.destroy(),
    );
  });
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const message = 'The only Expect header that this server supports is "100-continue".';
    handler
      .fail(new RequestRefused('bad_request', message, 417), incoming.socket.remoteAddress)
      .then(
        async (answer) =>
          outgoing
            .writeHead(answer.status, {
              ...Object.fromEntries(answer.headers),
              connection: 'close',
            })
            .end(await answer.text()),
        () => outgoing.destroy(),
      );
  });
}

/** What no URL can be made of: with a bad or missing Host, or a target that is no path. */
export const unroutable = (): RequestRefused =>
  new RequestRefused('bad_request', 'The request target and the Host header do not make a URL.');

/** @param code of Node's parser */
function unparsable(code: string | undefined): RequestRefused {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new RequestRefused('bad_request', 'The headers are too large.', 431);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestRefused('bad_request', 'The request took too long to arrive.', 408);
    default:
      return new RequestRefused('bad_request', 'This is not a well-formed HTTP request.');
  }
}

/** An answer for a connection on which Node has made no response to write to; the connection ends with it. */
export async function bytesOf(answer: Response): Promise<string> {
  const body = await answer.text();
  const headers = new Headers(answer.headers);
  headers.set('connection', 'close');
  headers.set('content-length', String(Buffer.byteLength(body)));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`);
  const { status } = answer;
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n');
}
