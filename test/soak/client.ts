/** Requests as callers send them, good and bad, over connections that are kept. */
import { connect } from 'node:net';
import { Pool } from 'undici';
import { samplePack } from '../support/archives.ts';

/** What came back; null: the connection was cut, by one side or the other. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface Outgoing {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path?: string;
  /** Null: none at all. */
  readonly token: string | null;
  readonly type?: string;
  readonly body?: string | Buffer;
}

export class Client {
  readonly #pool: Pool;
  readonly #url: URL;

  constructor(url: string, connections: number) {
    this.#url = new URL(url);
    this.#pool = new Pool(url, { connections, pipelining: 1 });
  }

  async send({ method = 'POST', path = '/graphql', token, type, body }: Outgoing): Promise<Reply> {
    const answer = await this.#pool.request({
      method,
      path,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
      },
      body: body ?? null,
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  }

  graphql(token: string | null, query: string, variables: object = {}): Promise<Reply> {
    return this.send({ token, body: JSON.stringify({ query, variables }) });
  }

  /** Uploads a small pack. */
  upload(token: string, query: string, name: string): Promise<Reply> {
    const form = [
      part('name="operations"', JSON.stringify({ query, variables: { archive: null } })),
      part('name="map"', JSON.stringify({ file: ['variables.archive'] })),
      part('name="file"; filename="pack.tar.gz"', samplePack({ name })),
      Buffer.from(`--${BOUNDARY}--\r\n`),
    ];
    return this.send({ token, type: MULTIPART, body: Buffer.concat(form) });
  }

  /** Subscribes, reads what comes first, and hangs up after a while. */
  async listen(token: string, forMs: number): Promise<Reply> {
    const hangUp = new AbortController();
    const answer = await this.#pool.request({
      method: 'POST',
      path: '/graphql',
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: 'subscription { packEvents { type packId } }' }),
      signal: hangUp.signal,
    });
    const timer = setTimeout(() => hangUp.abort(), forMs);
    // Ended by the abort, which is what is wanted.
    await answer.body.dump({ limit: 1024 ** 2 }).catch(() => undefined);
    clearTimeout(timer);
    hangUp.abort();
    return { status: answer.statusCode, text: '' };
  }

  /** Sends a request up to `share` of its bytes, or all of them, and hangs up without reading an answer. */
  hangUp(token: string, body: string, share: number, afterMs: number): Promise<null> {
    const text = [
      'POST /graphql HTTP/1.1',
      `host: ${this.#url.host}`,
      `authorization: Bearer ${token}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
    return new Promise((resolve) => {
      const socket = connect(Number(this.#url.port), this.#url.hostname);
      socket.on('error', () => undefined);
      socket.once('close', () => resolve(null));
      socket.write(text.slice(0, Math.ceil(text.length * share)), () =>
        setTimeout(() => socket.destroy(), afterMs),
      );
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

export const BOUNDARY = 'soaked';
export const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;

function part(disposition: string, content: string | Buffer): Buffer {
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')]);
}
