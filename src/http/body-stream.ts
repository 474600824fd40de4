import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import { RequestRefused } from '../request-refused.ts';

/** What `Content-Encoding` may say, gzip aside: that nothing is encoded. */
const PLAIN = /^(?:identity)?$/i;
const GZIP = /^(?:x-)?gzip$/i;

/** Whether the body has to be inflated; @throws RequestRefused `unsupported_media_type` for another encoding. */
export function isGzipped({ headers }: Pick<Request, 'headers'>): boolean {
  const encoding = headers.get('content-encoding')?.trim() ?? '';
  if (PLAIN.test(encoding)) return false;
  if (GZIP.test(encoding)) return true;
  throw new RequestRefused(
    'unsupported_media_type',
    'Send the body as it is, or with "Content-Encoding: gzip".',
  );
}

/**
 * A request's body, inflated where it is gzipped; the reader counts its bytes.
 * @throws RequestRefused `unsupported_media_type` for another encoding
 */
export function bodyStream(request: Request): Readable {
  const gzipped = isGzipped(request);
  if (request.body === null) return Readable.from([]);
  // Both are the web's ReadableStream; the global type and that of node:stream/web do not know each other.
  const sent = Readable.fromWeb(request.body as unknown as ReadableStream);
  if (!gzipped) return sent;
  const inflated = createGunzip();
  // `pipe` hands on neither an error nor the end of interest, and an error that nobody hears ends the process.
  sent.once('error', (error) => inflated.destroy(error));
  inflated.once('close', () => sent.destroy());
  return sent.pipe(inflated);
}
