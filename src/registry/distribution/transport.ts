import type { LookupFunction } from 'node:net';
import { finished, type Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { Agent } from 'undici';
import type { Answer } from './answer.ts';
import type { Deadline } from './deadline.ts';
import { networkFailure } from './network-failure.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

export interface Request {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array | Readable;
}

export interface OpenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or destroyed. */
  readonly body: Readable;
}

// More requests at once wait for a free connection, so nothing else needs to bound our fan-out.
const CONNECTIONS = 32;

/** The connections to one registry; sends single requests, follows nothing, retries nothing. */
export class Transport {
  readonly #agent: Agent;

  constructor(connectTimeoutMs: number, lookup: LookupFunction, ca?: string) {
    this.#agent = new Agent({
      connections: CONNECTIONS,
      pipelining: 1,
      // The deadline of each call ends it; undici's own timers are coarse and know nothing of retries.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: connectTimeoutMs,
        lookup,
        // An extra CA: Node would otherwise trust nothing else.
        ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
      },
    });
  }

  /** Throws `CallFailed` when no answer came; the body is still under the deadline. */
  async open(request: Request, deadline: Deadline): Promise<OpenAnswer> {
    deadline.check();
    try {
      const { statusCode, headers, body } = await this.#agent.request({
        origin: request.url.origin,
        path: request.url.pathname + request.url.search,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        signal: deadline.signal,
      });
      return { status: statusCode, headers: joined(headers), body };
    } catch (error) {
      throw networkFailure(error, deadline);
    }
  }

  /** Aborts what still runs. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Reads at most `limit` bytes; what is beyond is never buffered, its connection is dropped. */
export async function readCapped(
  { status, headers, body }: OpenAnswer,
  limit: number,
  deadline: Deadline,
): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Destroying a body half-way makes it emit an error, after we have stopped caring.
  finished(body, () => {});
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > limit) return { status, headers, body: Buffer.concat(chunks), truncated: true };
      chunks.push(chunk);
    }
  } catch (error) {
    throw networkFailure(error, deadline);
  }
  return { status, headers, body: Buffer.concat(chunks), truncated: false };
}

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
