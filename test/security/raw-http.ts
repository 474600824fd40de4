/** HTTP as bytes, for what no client library would send. */
import { connect } from 'node:net';

export interface RawAnswer {
  /** 0 where the server closed the connection without an answer. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
  /** How many answers came on the connection. */
  readonly answers: number;
}

/** Sends the bytes and reads until the server closes the connection. */
export async function sendRaw(origin: string, bytes: string): Promise<RawAnswer> {
  const { port, hostname } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.setTimeout(15_000, () => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  const text = Buffer.concat(chunks).toString();
  const end = text.indexOf('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    headers: text.slice(0, end),
    body: text.slice(end + 4),
    answers: text.match(/HTTP\/1\.1 \d{3}/g)?.length ?? 0,
  };
}

/** A request's bytes; headers as lines, so that they may repeat. */
export function rawRequest(
  line: string,
  headers: readonly string[],
  body: string | null = null,
): string {
  const length = body === null ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  const lines = [`${line} HTTP/1.1`, 'host: gateway', 'connection: close', ...headers, ...length];
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}
