import { open } from 'node:fs/promises';
import type { PackContents } from './pack-contents.ts';
import { type CanonicalEntry, encodeHeader, endMarker, padding } from './tar-block.ts';

/** Every chunk but the last has this length, so that the compressor's input depends on the content alone. */
const CHUNK = 64 * 1024;

interface Item extends CanonicalEntry {
  readonly offset: number;
}

/** The one tar of a pack: entries in the byte order of their paths, directories included. */
export function canonicalTar(pack: PackContents): AsyncGenerator<Uint8Array, void> {
  const items = [
    ...pack.directories.map(
      (path): Item => ({ path, kind: 'directory', executable: false, size: 0, offset: 0 }),
    ),
    ...pack.files.map((file): Item => ({ ...file, kind: 'file' })),
  ];
  const sorted = items
    .map((item) => ({ item, bytes: Buffer.from(item.path) }))
    // A directory is a prefix of what it holds, so it comes first.
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ item }) => item);
  return inChunks(entries(pack.spool, sorted));
}

async function* entries(spool: string, items: readonly Item[]): AsyncGenerator<Uint8Array, void> {
  const contents = await open(spool, 'r');
  try {
    for (const item of items) {
      yield encodeHeader(item);
      for (let at = 0; at < item.size; ) {
        const piece = new Uint8Array(Math.min(CHUNK, item.size - at));
        const { bytesRead } = await contents.read(piece, 0, piece.length, item.offset + at);
        if (bytesRead === 0) throw new Error('The spool file of a pack is shorter than the pack');
        yield piece.subarray(0, bytesRead);
        at += bytesRead;
      }
      yield padding(item.size);
    }
    yield endMarker();
  } finally {
    await contents.close();
  }
}

async function* inChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let chunk = Buffer.alloc(CHUNK);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + CHUNK - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === CHUNK) {
        yield chunk;
        chunk = Buffer.alloc(CHUNK);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
