import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ArchiveRefused, ArchiveTooLarge, HOW_TO_MAKE_ONE } from './archive-refused.ts';

/** A tar being read; `close` ends it at once, whatever it is doing. */
export interface TarSource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Resolves when what holds the tar has been read to its end, rejects with what broke it. */
  readonly done: Promise<void>;
  readonly close: () => void;
}

/** Unpacks gzip, counting the compressed bytes; every refusal comes out of `chunks` as an error. */
export function gunzipped(archive: Readable, maxArchiveBytes: number): TarSource {
  const gunzip = createGunzip();
  // Both may fail once more after they were destroyed (zlib finishes its last write, a client hangs up),
  // when nobody listens any longer; that would end the process.
  archive.on('error', () => undefined);
  gunzip.on('error', () => undefined);
  const seen = { end: 0 };
  const done = pipeline(archive, (source) => checked(source, maxArchiveBytes, seen), gunzip).then(
    () => {
      // To zlib zeros are padding, and whatever comes behind them as well.
      if (gunzip.bytesWritten < seen.end) throw goesOn();
    },
    (error: unknown) => {
      throw corruptGzip(error) ?? error;
    },
  );
  // What breaks the tar comes out of `chunks` as well, which is where it is handled.
  done.catch(() => undefined);
  return {
    // Not destroyed at the end of what it unpacks: padding may still be on its way in.
    chunks: translated(gunzip.iterator({ destroyOnReturn: false })),
    done,
    close: () => {
      archive.destroy();
      gunzip.destroy();
    },
  };
}

/** A tar that is not compressed. */
export function uncompressed(tar: Readable): TarSource {
  // As above; what breaks it comes out of `chunks`.
  tar.on('error', () => undefined);
  return { chunks: tar, done: Promise.resolve(), close: () => void tar.destroy() };
}

/** @param seen.end where the last byte that is no zero ends */
async function* checked(
  source: AsyncIterable<Uint8Array>,
  maxArchiveBytes: number,
  seen: { end: number },
): AsyncGenerator<Uint8Array, void> {
  let start = Buffer.alloc(0);
  let total = 0;
  for await (const chunk of source) {
    if (start.length < 2) {
      start = Buffer.concat([start, chunk.subarray(0, 2)]).subarray(0, 2);
      // RFC 1952, 2.3.1: the two bytes that every gzip member starts with.
      if (!Buffer.from([0x1f, 0x8b]).subarray(0, start.length).equals(start)) {
        throw new ArchiveRefused('archive', `is not a .tar.gz; ${HOW_TO_MAKE_ONE}`);
      }
    }
    total += chunk.length;
    if (total > maxArchiveBytes) throw new ArchiveTooLarge();
    let zeros = 0;
    while (zeros < chunk.length && chunk[chunk.length - 1 - zeros] === 0) zeros += 1;
    if (zeros < chunk.length) seen.end = total - zeros;
    yield chunk;
  }
  if (total === 0) throw new ArchiveRefused('archive', `is empty; ${HOW_TO_MAKE_ONE}`);
}

const goesOn = (): ArchiveRefused =>
  new ArchiveRefused(
    'archive',
    `goes on behind zeros that end its gzip stream, which would be dropped; ${HOW_TO_MAKE_ONE}`,
  );

async function* translated(gunzip: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* gunzip;
  } catch (error) {
    throw corruptGzip(error) ?? error;
  }
}

/** zlib's word that the data is damaged or cut short; null for any other error. */
export function corruptGzip(error: unknown): ArchiveRefused | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  if (error.code === 'Z_BUF_ERROR') {
    return new ArchiveRefused(
      'archive',
      'ends in the middle of its gzip stream; was it cut short?',
    );
  }
  if (error.code === 'Z_DATA_ERROR' || error.code === 'Z_NEED_DICT') {
    return new ArchiveRefused('archive', 'its gzip stream is corrupt');
  }
  // From another gzip stream behind zeros that end a chunk.
  if (error.code === 'ERR_STREAM_PUSH_AFTER_EOF') return goesOn();
  return null;
}
