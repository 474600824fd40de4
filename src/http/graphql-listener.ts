/**
 * The short way for what is almost all traffic: a GraphQL operation as JSON.
 *
 * The general listener builds a web Request over the socket's stream, which then is read through two layers of
 * streams; here the body is read at once and handed over as text. Half the CPU of a trivial query (bench/README.md).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Request as LeanRequest } from '@whatwg-node/fetch';
import { sendNodeResponse } from '@whatwg-node/server';
import type { Handler } from './handler.ts';
import { LARGEST_BODY_BYTES } from './read-body.ts';

/** Whether a request can go the short way; everything else goes the general one. */
export function isPlainOperation({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    url === '/graphql' &&
    Number(headers['content-length']) <= LARGEST_BODY_BYTES &&
    headers['content-type']?.startsWith('application/json') === true
  );
}

/** Answers a plain operation with `handler`. */
export async function answerPlainOperation(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  // Node reads no more than content-length says, which isPlainOperation has bounded.
  for await (const chunk of incoming) chunks.push(chunk);
  const [first] = chunks;
  const body = chunks.length === 1 && first ? first.toString() : Buffer.concat(chunks).toString();
  const request = new LeanRequest('http://localhost/graphql', {
    method: 'POST',
    headers: lines(incoming),
    body,
  });
  const address = incoming.socket.remoteAddress;
  const response = await handler(request, { bodyIsRead: true, address });
  await sendNodeResponse(response, outgoing, incoming, true);
}

/** Headers as plain strings: of a repeated one, Node has joined the values already. */
function lines({ headers }: IncomingMessage): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
