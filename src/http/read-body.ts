import { RequestRefused } from '../request-refused.ts';

/** Largest body that is no upload: GraphQL operations and REST's JSON. */
export const LARGEST_BODY_BYTES = 1024 ** 2;

/**
 * Reads a request's body as text, and no more of it than allowed.
 * @throws RequestRefused `payload_too_large`, or `bad_request` where it broke off
 */
export async function readBody({ body }: Request): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of untilItBreaksOff(body)) {
    size += chunk.byteLength;
    if (size > LARGEST_BODY_BYTES) {
      throw new RequestRefused(
        'payload_too_large',
        `The body is larger than ${LARGEST_BODY_BYTES} bytes.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** A socket's error, which would be taken for one of the database's. */
async function* untilItBreaksOff(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch {
    throw new RequestRefused('bad_request', 'The body is not complete.');
  }
}
