import { pipeline, type Readable } from 'node:stream';
import {
  constants,
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from 'node:zlib';
import { ArchiveRefused } from '../archive/archive-refused.ts';
import { BLOCK } from '../archive/tar-header.ts';

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

/** RFC 8878, 3.1.2: what pzstd puts before each of its frames. */
const isSkippableFrame = ([first = 0, ...rest]: Uint8Array): boolean =>
  first >> 4 === 0x5 && [0x2a, 0x4d, 0x18].every((byte, at) => rest[at] === byte);
const UNREAD_FRAMES =
  'is compressed with zstd in a form that is not read here (pzstd writes it; zstd does not)';

/** The bytes of a layer's tar: what is in gzip or zstd unpacked, anything else as it is. Throws `ArchiveRefused`. */
export async function* unpackedLayer(layer: Readable): AsyncGenerator<Uint8Array, void> {
  const chunks: AsyncIterator<Uint8Array> = layer[Symbol.asyncIterator]();
  const start = await firstBytes(chunks, LONGEST_MAGIC);
  const whole = rejoined(start, chunks);
  if (isSkippableFrame(start.subarray(0, LONGEST_MAGIC)))
    throw new ArchiveRefused('archive', UNREAD_FRAMES);
  const format = FORMATS.find(({ magic }) => magic.every((byte, at) => start[at] === byte));
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
  const decompress = format.decompress();
  let received = 0;
  async function* counted() {
    for await (const chunk of whole) {
      received += chunk.length;
      yield chunk;
    }
  }
  // zlib may fail once more after it was destroyed, when nobody listens any longer.
  decompress.on('error', () => undefined);
  // What breaks the feeding comes out of `decompress` too, which is where it is handled.
  pipeline(counted, decompress, () => undefined);
  try {
    let last: Uint8Array = new Uint8Array(0);
    for await (const chunk of decompress) {
      last = chunk;
      yield chunk;
    }
    // After a skippable frame node's decompressor ignores what follows: harmless behind the zeros that end a tar.
    const isCut = format.name === 'zstd' && decompress.bytesWritten < received;
    if (isCut && last.subarray(-BLOCK).some((byte) => byte !== 0)) {
      throw new ArchiveRefused('archive', UNREAD_FRAMES);
    }
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
