import type { Readable } from 'node:stream';
import {
  constants,
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from 'node:zlib';
import { ArchiveRefused } from '../archive/archive-refused.ts';

/**
 * 16 MiB, in powers of two: what containerd, buildkit and skopeo write at their usual levels needs half of that. A
 * stream may ask for 2 GiB.
 */
const LARGEST_ZSTD_WINDOW_LOG = 24;

/** How a layer may be compressed, told by its first bytes: media types of old images are often wrong. */
const FORMATS: readonly {
  readonly name: string;
  readonly magic: readonly number[];
  readonly decompress?: () => Gunzip | ZstdDecompress;
}[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], decompress: createGunzip },
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    decompress: () =>
      createZstdDecompress({
        params: { [constants.ZSTD_d_windowLogMax]: LARGEST_ZSTD_WINDOW_LOG },
      }),
  },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
];
const LONGEST_MAGIC = 6;

/** RFC 8878, 3.1.2: what pzstd puts before each of its frames, and zstd:chunked behind the last. */
const isSkippableFrame = ([first = 0, ...rest]: Uint8Array): boolean =>
  first >> 4 === 0x5 && [0x2a, 0x4d, 0x18].every((byte, at) => rest[at] === byte);
/** Its magic number and the length of what follows. */
const SKIPPABLE_HEADER_BYTES = 8;
/** zstd:chunked has a few for each file; a hostile layer could have millions, most of which cost a decompressor each. */
const MOST_ZSTD_FRAMES = 20_000;
/** What a further frame takes off the bytes that all layers together may unpack to. */
const ZSTD_FRAME_BYTES = 4096;

/**
 * The bytes of a layer's tar: what is in gzip or zstd unpacked, anything else as it is. Throws `ArchiveRefused`.
 * @param allowance how many bytes the layers behind this one may unpack to
 */
export async function* unpackedLayer(
  layer: Readable,
  allowance: { left: number },
): AsyncGenerator<Uint8Array, void> {
  const chunks: AsyncIterator<Uint8Array> = layer[Symbol.asyncIterator]();
  const start = await firstBytes(chunks, LONGEST_MAGIC);
  const whole = rejoined(start, chunks);
  const isZstd = isSkippableFrame(start.subarray(0, 4));
  const format = FORMATS.find(
    ({ name, magic }) =>
      magic.every((byte, at) => start[at] === byte) || (isZstd && name === 'zstd'),
  );
  if (format === undefined) {
    yield* whole;
    return;
  }
  if (format.decompress === undefined) {
    throw new ArchiveRefused(
      'archive',
      `is compressed with ${format.name}, which is not read here`,
    );
  }
  // Node's decompressor of zstd ends where a frame ends, and leaves the frames behind it to the next one.
  let bytes: AsyncIterator<Uint8Array> = whole;
  let frames = 1;
  const anotherFrame = () => {
    if (frames === MOST_ZSTD_FRAMES) {
      throw new ArchiveRefused('archive', `has more than ${MOST_ZSTD_FRAMES} zstd frames`);
    }
    frames += 1;
    allowance.left -= ZSTD_FRAME_BYTES;
  };
  for (;;) {
    let left = yield* decompressed(bytes, format.decompress());
    if (left === null || format.name !== 'zstd') return;
    anotherFrame();
    for (let behind = behindSkippable(left); behind !== null; behind = behindSkippable(left)) {
      left = behind;
      anotherFrame();
    }
    bytes = rejoined(left, whole);
  }
}

/** What is behind a skippable frame that these bytes begin with; null where they do not, or hold no more than that. */
function behindSkippable(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < SKIPPABLE_HEADER_BYTES || !isSkippableFrame(bytes.subarray(0, 4))) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = SKIPPABLE_HEADER_BYTES + view.getUint32(4, true);
  return end < bytes.length ? bytes.subarray(end) : null;
}

/** Yields what one decompressor makes of the bytes; answers with those that it left, null where it took them all. */
async function* decompressed(
  bytes: AsyncIterator<Uint8Array>,
  decompress: Gunzip | ZstdDecompress,
): AsyncGenerator<Uint8Array, Uint8Array | null> {
  let fed = 0;
  const feed = async (): Promise<Uint8Array | null> => {
    for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
      fed += next.value.length;
      // One at a time, so that what is left is left of this one.
      await new Promise<void>((taken) => void decompress.write(next.value, () => taken()));
      if (decompress.bytesWritten < fed) return next.value.subarray(decompress.bytesWritten - fed);
    }
    decompress.end();
    return null;
  };
  // zlib may fail once more after it was destroyed, when nobody listens any longer.
  decompress.on('error', () => undefined);
  const feeding = feed();
  // What breaks the feeding comes out of `decompress`, which is where it is handled.
  feeding.catch((error: Error) => decompress.destroy(error));
  try {
    for await (const chunk of decompress) yield chunk;
    return await feeding;
  } finally {
    decompress.destroy();
  }
}

async function firstBytes(chunks: AsyncIterator<Uint8Array>, count: number): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < count) {
    const next = await chunks.next();
    if (next.done === true) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  return start;
}

async function* rejoined(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  if (first.length > 0) yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
