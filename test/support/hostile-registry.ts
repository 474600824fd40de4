/**
 * A registry that answers as scripted: for the answers the real one cannot be made to produce (proxies' pages,
 * half bodies, other vendors' refusals, lost connections). What docker-registry can answer is tested against it.
 */
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createRawServer, type Server, type Socket } from 'node:net';
import type { KeyPair } from './docker-registry.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** An answer, or a function that does with the connection what it likes. */
export type Reply = ScriptedAnswer | RequestListener;
export type Script = (request: SeenRequest, number: number) => Reply;

export interface HostileRegistry {
  readonly url: URL;
  readonly seen: readonly SeenRequest[];
  stop(): Promise<void>;
}

/** `number` counts the requests that the script has been asked for, from 1. */
export async function startHostileRegistry(
  script: Script,
  tls?: KeyPair,
): Promise<HostileRegistry> {
  const seen: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    const { method = '', url: path = '', headers } = request;
    seen.push({ method, path, headers });
    const reply = script({ method, path, headers }, seen.length);
    if (typeof reply === 'function') return reply(request, response);
    // Bodies are read first, as a registry would.
    request.resume().once('end', () => {
      response.writeHead(reply.status, reply.headers).end(method === 'HEAD' ? '' : reply.body);
    });
  };
  const server = tls
    ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener)
    : createServer(listener);
  const started = await start(server, tls ? 'https' : 'http');
  return { ...started, seen };
}

/** A server below HTTP. */
export async function startRawRegistry(onConnection: (socket: Socket) => void) {
  return start(createRawServer(onConnection), 'http');
}

async function start(server: Server, protocol: string) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // We tear connections down on purpose.
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: new URL(`${protocol}://127.0.0.1:${port}`),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The error body of the OCI Distribution specification. */
export function registryError(
  status: number,
  code: string,
  message = 'hostile-detail',
): ScriptedAnswer {
  const body = JSON.stringify({ errors: [{ code, message }] });
  return { status, headers: { 'content-type': 'application/json' }, body };
}
