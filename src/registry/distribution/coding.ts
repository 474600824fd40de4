/** What `Content-Encoding` says of an answer, and what it is. */
import { pipeline, Readable, type Transform } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';

interface Coding {
  readonly decoder: () => Transform;
  /** What every content in this coding begins with, where it has such a thing. */
  readonly magic: Buffer;
}
const gzip: Coding = { decoder: createGunzip, magic: Buffer.from([0x1f, 0x8b]) };
const codings = new Map<string, Coding>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', { decoder: createInflate, magic: Buffer.of() }],
  ['br', { decoder: createBrotliDecompress, magic: Buffer.of() }],
  ['zstd', { decoder: createZstdDecompress, magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) }],
]);

/** Some proxies compress although nobody asked for it; some pass on the label of what they have decompressed. */
export function decoded(body: Readable, headers: Readonly<Record<string, string>>): Readable {
  const coding = codings.get((headers['content-encoding'] ?? '').toLowerCase());
  if (coding === undefined) return body;
  const content = Readable.from(decodedBy(coding, body), { objectMode: false });
  // Before its first read a generator has nothing to clean up, so the stream does.
  body.on('error', () => undefined);
  return content.once('close', () => body.destroy());
}

async function* decodedBy({ decoder, magic }: Coding, body: Readable): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  // Nothing is no content in any coding.
  if (first.done) return;
  const whole = Readable.from(after(first.value, chunks), { objectMode: false });
  const start = magic.subarray(0, first.value.length);
  const isCoded = first.value.subarray(0, start.length).equals(start);
  // The callback has nothing to do: an error reaches the reader through the stream that it holds.
  yield* isCoded ? pipeline(whole, decoder(), () => undefined) : whole;
}

async function* after(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
