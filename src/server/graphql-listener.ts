/**
 * The short way for what is almost all traffic: a GraphQL operation as JSON.
 *
 * The general listener builds a web Request over the socket's stream, which then is read through two layers of
 * streams; here the body is read at once and handed over as text (bench/README.md).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendNodeResponse } from '@whatwg-node/server';
import { isPlainAnswer } from '../graphql/plain-answer.ts';
import { LARGEST_BODY_BYTES } from '../http/read-body.ts';
import type { Handler } from './handler.ts';

/** Whether a request can go the short way; everything else goes the general one. */
export function isPlainOperation({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    url === '/graphql' &&
    Number(headers['content-length']) <= LARGEST_BODY_BYTES &&
    // What is no request without a Host (RFC 9112) is refused by the general listener.
    headers.host !== undefined &&
    /^application\/json(?:;|$)/.test(headers['content-type'] ?? '')
  );
}

/** Answers a plain operation with `operate`. */
export async function answerPlainOperation(
  operate: Handler['operate'],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { headers, socket } = incoming;
  const answer = await operate({ headers, body: await textOf(incoming) }, socket.remoteAddress);
  if (!isPlainAnswer(answer)) return sendNodeResponse(answer, outgoing, incoming, true);
  const length = { 'content-length': Buffer.byteLength(answer.body) };
  outgoing.writeHead(answer.status, { ...answer.headers, ...length }).end(answer.body);
}

/** Node reads no more than content-length says, which `isPlainOperation` has bounded. */
function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => resolve(Buffer.concat(chunks).toString()));
    // After the end this says nothing new; before it, somebody hung up or was cut off.
    incoming.once('close', reject);
  });
}
