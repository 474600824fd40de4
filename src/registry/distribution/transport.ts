import { finished, Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { type ProxyConfig, proxied } from '../../outgoing/proxy.ts';
import { USER_AGENT } from '../../outgoing/user-agent.ts';
import type { Answer } from './answer.ts';
import { guardedLookup, refuseCloudMetadata } from './cloud-metadata.ts';
import { decoded } from './coding.ts';
import type { Deadline } from './deadline.ts';
import { networkFailure } from './network-failure.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

export interface Request {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array | Readable;
  /** Leaves the body of a 200 as it was sent, whatever coding its headers name. */
  readonly keepsCoding?: boolean;
}

export interface OpenAnswer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or destroyed. */
  readonly body: Readable;
}

export interface TransportOptions {
  readonly connectTimeoutMs: number;
  /** `URL.hostname` of what an operator named: these may be anywhere. */
  readonly trusted: ReadonlySet<string>;
  /** PEM text. */
  readonly ca?: string | undefined;
  readonly proxy?: ProxyConfig | undefined;
}

// More requests at once wait for a free connection, so nothing else needs to bound our fan-out.
const CONNECTIONS = 32;
/** As many as all uploads (two blobs each), downloads and images being unpacked may have: none waits for somebody else's. */
const BLOB_CONNECTIONS = 160;

/** The connections to one registry; sends single requests, follows nothing, retries nothing. */
export class Transport {
  readonly #dispatcher: Dispatcher;
  /** A blob has a connection for as long as it is sent or read: a purge must not wait for it. */
  readonly #blobs: Dispatcher;
  /** A proxy looks names up itself, so what it must not be asked for is checked beforehand. */
  readonly #isLookedUp: (hostname: string) => boolean;

  constructor({ connectTimeoutMs, trusted, ca: extra, proxy }: TransportOptions) {
    // Node would otherwise trust nothing else; its own may be more than it brings (`NODE_EXTRA_CA_CERTS`).
    const ca = extra === undefined ? undefined : [...getCACertificates('default'), extra];
    const options: Agent.Options = {
      pipelining: 1,
      // The deadline of each call ends it; undici's own timers are coarse and know nothing of retries.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: connectTimeoutMs,
        lookup: guardedLookup(trusted),
        ...(ca === undefined ? {} : { ca }),
      },
    };
    const connect = (connections: number) =>
      proxy === undefined
        ? new Agent({ ...options, connections })
        : proxied(proxy, { ...options, connections, ...(ca === undefined ? {} : { ca }) });
    this.#dispatcher = connect(CONNECTIONS);
    this.#blobs = connect(BLOB_CONNECTIONS);
    this.#isLookedUp = (hostname) => proxy !== undefined && !trusted.has(hostname);
  }

  /** Throws `CallFailed` when no answer came; the body is still under the deadline. */
  async open(request: Request, deadline: Deadline): Promise<OpenAnswer> {
    deadline.check();
    try {
      const { method, url } = request;
      if (this.#isLookedUp(url.hostname)) await refuseCloudMetadata(url.hostname);
      const isBlob = request.keepsCoding === true || request.body instanceof Readable;
      const dispatcher = isBlob ? this.#blobs : this.#dispatcher;
      const { statusCode, headers, body } = await dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        // Without `Accept-Encoding` any coding may come (RFC 9110, section 12.5.3).
        headers: { 'user-agent': USER_AGENT, 'accept-encoding': 'identity', ...request.headers },
        body: request.body ?? null,
        signal: deadline.signal,
      });
      const answer = { url, status: statusCode, headers: joined(headers), body };
      const isAsSent = method === 'HEAD' || (request.keepsCoding && statusCode === 200);
      return isAsSent ? answer : { ...answer, body: decoded(body, answer.headers) };
    } catch (error) {
      throw networkFailure(error, deadline);
    }
  }

  /** Aborts what still runs. */
  async close(): Promise<void> {
    await Promise.all([this.#dispatcher.destroy(), this.#blobs.destroy()]);
  }
}

/** Reads at most `limit` bytes; what is beyond is never buffered, its connection is dropped. */
export async function readCapped(
  { url, status, headers, body }: OpenAnswer,
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
      if (size > limit)
        return { url, status, headers, body: Buffer.concat(chunks), truncated: true };
      chunks.push(chunk);
    }
  } catch (error) {
    throw networkFailure(error, deadline);
  }
  return { url, status, headers, body: Buffer.concat(chunks), truncated: false };
}

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
