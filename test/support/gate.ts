/**
 * A reverse proxy that can hold requests back: before the server behind it sees it, or after the server has
 * done it and before the answer is passed on. So a test can act at exactly that moment.
 */
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Moment = 'before' | 'after';

export interface Held {
  /** Resolves when the request is held. */
  readonly reached: Promise<void>;
  /** Lets it go on; also those of its kind that come later. */
  release(): void;
}

export interface Gate {
  readonly url: string;
  /** Holds requests like `DELETE /v2/x/manifests/y` that match. */
  hold(moment: Moment, request: RegExp): Held;
  /** Answers matching requests by itself; undefined ends that. */
  refuse(answer: Refusal | undefined): void;
}

export interface Refusal {
  readonly request: RegExp;
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Hold {
  readonly moment: Moment;
  readonly request: RegExp;
  readonly reached: () => void;
  readonly released: Promise<void>;
}

/** Ends with the test. */
export async function startGate(target: URL): Promise<Gate> {
  const holds = new Set<Hold>();
  let refusal: Refusal | undefined;
  const pass = async (moment: Moment, line: string) => {
    for (const hold of [...holds]) {
      if (hold.moment !== moment || !hold.request.test(line)) continue;
      hold.reached();
      await hold.released;
    }
  };
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    if (refusal?.request.test(line)) {
      request.resume();
      response.writeHead(refusal.status, refusal.headers).end(refusal.body);
      return;
    }
    void pass('before', line).then(() =>
      proxied(target, request, response, () => pass('after', line)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // A TCP server that listens has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    hold(moment, request) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const hold = { moment, request, reached: reached.resolve, released: released.promise };
      holds.add(hold);
      const release = () => {
        holds.delete(hold);
        released.resolve();
      };
      return { reached: reached.promise, release };
    },
    refuse: (answer) => {
      refusal = answer;
    },
  };
}

/** The `Host` stays as the client wrote it, so that the server's own links lead through the gate as well. */
function proxied(
  target: URL,
  request: IncomingMessage,
  response: ServerResponse,
  beforeAnswer: () => Promise<void>,
): void {
  const { method, url: path, headers } = request;
  const { hostname, port } = target;
  const onward = forward({ hostname, port, method, path, headers }, (answer) => {
    void beforeAnswer().then(() => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
  });
  // Whoever was killed on either side is part of the test.
  onward.on('error', () => response.destroy());
  response.on('error', () => onward.destroy());
  request.on('error', () => onward.destroy());
  request.pipe(onward);
}
