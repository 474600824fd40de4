/**
 * Stands between the gateway and PostgreSQL and writes down what is sent: each statement as the server gets it, with
 * the values bound to it, whatever the client in between does (pipelining, prepared statements, a transaction's own
 * `begin` and `commit`).
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface SentStatement {
  readonly sql: string;
  /** As they were bound: text, or bytes where the client sent them so. */
  readonly values: readonly (string | Buffer | null)[];
}

export interface RecordingProxy {
  /** The database's address by way of the proxy. */
  readonly url: string;
  /** Every statement sent so far; a test may empty it. */
  readonly sent: SentStatement[];
}

/** @param database address of a PostgreSQL database; no TLS is spoken */
export async function recordPostgres(database: string): Promise<RecordingProxy> {
  const upstream = new URL(database);
  const sent: SentStatement[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const postgres = connect(Number(upstream.port), upstream.hostname).setNoDelay();
    const read = messageReader(sent);
    client.on('data', read);
    client.pipe(postgres).pipe(client);
    for (const socket of [client, postgres]) {
      sockets.add(socket);
      socket.on('error', () => {
        client.destroy();
        postgres.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(database);
  url.hostname = '127.0.0.1';
  // A TCP server that listens has an address with a port.
  url.port = String((server.address() as { port: number }).port);
  return { url: url.href, sent };
}

/** Reads one connection's messages from the client (PostgreSQL's frontend protocol, version 3). */
function messageReader(sent: SentStatement[]): (chunk: Buffer) => void {
  const prepared = new Map<string, string>();
  let buffered = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      // The first message of a connection has no type.
      const start = isStarted ? 1 : 0;
      if (buffered.length < start + 4) return;
      const end = start + buffered.readInt32BE(start);
      if (buffered.length < end) return;
      if (isStarted) {
        message(String.fromCharCode(buffered[0] ?? 0), new Fields(buffered.subarray(5, end)));
      }
      isStarted = true;
      buffered = buffered.subarray(end);
    }
  };

  function message(type: string, fields: Fields): void {
    if (type === 'Q') sent.push({ sql: fields.text(), values: [] });
    if (type === 'P') prepared.set(fields.text(), fields.text());
    if (type !== 'B') return;
    fields.text();
    const sql = prepared.get(fields.text()) ?? '';
    const formats = Array.from({ length: fields.int16() }, () => fields.int16());
    const values = Array.from({ length: fields.int16() }, (_, index) => {
      const bytes = fields.bytes();
      const format = formats.length === 1 ? formats[0] : formats[index];
      return bytes === null || format === 1 ? bytes : bytes.toString();
    });
    sent.push({ sql, values });
  }
}

class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  bytes(): Buffer | null {
    const length = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    if (length < 0) return null;
    this.#at += length;
    return Buffer.from(this.#bytes.subarray(this.#at - length, this.#at));
  }
}
