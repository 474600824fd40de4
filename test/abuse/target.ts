import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Reply } from './attack.ts';

/** The service as the attacker sees it. */
export class Target {
  readonly url: string;
  readonly #token: string;
  readonly #writer: string;

  /** @param writer a key that may change packs, where there is one */
  constructor(url: string, token: string, writer = token) {
    this.url = url;
    this.#token = token;
    this.#writer = writer;
  }

  /** The same caller with the key that may change packs. */
  writer(): Target {
    return new Target(this.url, this.#writer);
  }

  async send(body: string | FormData, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      body,
    });
    return { status: response.status, bytes: (await response.bytes()).length };
  }

  graphql(query: string, variables: object = {}): Promise<Reply> {
    return this.send(JSON.stringify({ query, variables }), { 'content-type': 'application/json' });
  }

  /** Subscribes, and hangs up once there is an answer. */
  async openAndLeave(query: string): Promise<Reply> {
    const leave = new AbortController();
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query }),
      signal: leave.signal,
    });
    leave.abort();
    return { status: response.status, bytes: 0 };
  }

  async rest(path: string): Promise<Reply> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(`${this.url}${path}`, { headers });
    return { status: response.status, bytes: (await response.bytes()).length };
  }

  /**
   * Sends on a connection of its own and reads nothing, until all have been sent.
   * @param body of so many further bytes, the last of which never comes
   */
  async stall(path: string, sent: string, body = sent.length): Promise<Socket> {
    const { hostname, port } = new URL(this.url);
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.pause();
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${this.#token}\r\nContent-Type: application/json\r\nContent-Length: ${body}\r\n\r\n${sent}`,
    );
    await once(socket, 'connect').catch(() => undefined);
    return socket;
  }

  /** An operation with a file, by the multipart request specification. */
  upload(
    query: string,
    variables: object,
    map: object,
    file: Uint8Array<ArrayBuffer>,
  ): Promise<Reply> {
    const form = new FormData();
    form.set('operations', JSON.stringify({ query, variables }));
    form.set('map', JSON.stringify(map));
    form.set('file', new File([file], 'pack.tar.gz'));
    return this.send(form);
  }
}
