import { RequestRefused } from '../request-refused.ts';
import { bodyStream, isGzipped } from './body-stream.ts';

/** Largest body that is no upload, inflated: GraphQL operations and REST's JSON. */
export const LARGEST_BODY_BYTES = 1024 ** 2;

/**
 * Reads a request's body as text, and no more of it than allowed.
 * @throws RequestRefused `payload_too_large`, `bad_request` where it broke off, is no gzip or
 * no UTF-8, `unsupported_media_type`
 */
export async function readBody(request: Request): Promise<string> {
  const length = request.headers.get('content-length');
  if (length !== null && Number(length) > LARGEST_BODY_BYTES) throw tooLarge();
  refuseOtherCharset(request);
  // Node reads no more than the header says; without a stream around it this costs half.
  if (length !== null && !isGzipped(request)) {
    return textOf(await request.arrayBuffer().catch(brokenOff));
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of untilItBreaksOff(bodyStream(request))) {
    size += chunk.byteLength;
    if (size > LARGEST_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return textOf(Buffer.concat(chunks));
}

/** JSON is UTF-8 (RFC 8259, section 8.1). Read as that, letters of another charset would be kept as something else. */
function refuseOtherCharset({ headers }: Request): void {
  const [, charset] = CHARSET.exec(headers.get('content-type') ?? '') ?? [];
  if (charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)) return;
  throw new RequestRefused('unsupported_media_type', 'Send the body in UTF-8.');
}

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

function textOf(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new RequestRefused('bad_request', 'The body is not UTF-8.');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
