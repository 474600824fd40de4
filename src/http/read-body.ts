import { RequestRefused } from '../request-refused.ts';
import { bodyStream, isGzipped } from './body-stream.ts';

/** Largest body that is no upload, inflated: GraphQL operations and REST's JSON. */
export const LARGEST_BODY_BYTES = 1024 ** 2;

/**
 * Reads a request's body as text, and no more of it than allowed.
 * @throws RequestRefused `payload_too_large`, `bad_request` where it broke off or is no gzip, `unsupported_media_type`
 */
export async function readBody(request: Request): Promise<string> {
  const length = request.headers.get('content-length');
  if (length !== null && Number(length) > LARGEST_BODY_BYTES) throw tooLarge();
  // Node reads no more than the header says; without a stream around it this costs half.
  if (length !== null && !isGzipped(request)) return request.text().catch(brokenOff);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of untilItBreaksOff(bodyStream(request))) {
    size += chunk.byteLength;
    if (size > LARGEST_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** A socket's error, which would be taken for one of the database's. */
async function* untilItBreaksOff(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch {
    brokenOff();
  }
}

function brokenOff(): never {
  throw new RequestRefused('bad_request', 'The body is not complete, or not encoded as it says.');
}

const tooLarge = () =>
  new RequestRefused('payload_too_large', `The body is larger than ${LARGEST_BODY_BYTES} bytes.`);
