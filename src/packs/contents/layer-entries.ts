import type { Readable } from 'node:stream';
import { ArchiveRefused } from '../archive/archive-refused.ts';
import { ByteReader } from '../archive/byte-reader.ts';
import { BLOCK, decodeHeader, isZeroBlock } from '../archive/tar-header.ts';
import { readTar, type TarEntry } from '../archive/tar-reader.ts';
import type { Layer } from './image-manifest.ts';
import { unpackedLayer } from './unpacked-layer.ts';

/** What one entry of a layer does to the files below it (OCI image specification, "Image Layer Filesystem Changeset"). */
export type LayerEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly size: number;
      readonly executable: boolean;
      /** To be read once, before the next entry is asked for. */
      readonly content: () => AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'directory'; readonly path: string }
  /**
   * A link or device: no file of the pack, but it takes the place of one. `what`: "a symbolic link"; `target`: of a hard
   * link, the path that it is another name of.
   */
  | {
      readonly kind: 'other';
      readonly path: string;
      readonly what: string;
      readonly target: string | null;
    }
  /** What lower layers have at this path is gone. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** What lower layers have in this directory is gone; the root's path is empty. */
  | { readonly kind: 'opaque'; readonly path: string };

/** How many unpacked bytes may be read, of all layers together: an image may name one small layer that unpacks to much 200 times. */
export interface ByteAllowance {
  left: number;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Linux has no longer paths. */
export const LONGEST_PATH_BYTES = 4096;
/** Read at once of a file that is a blob by itself. */
const PIECE = BLOCK * 128;

/**
 * The entries of a layer in their order. Any tool may have made it, so names that no pack may have are passed over,
 * not refused. Reads `blob` to its end, unless the reader leaves before.
 *
 * Throws `ArchiveRefused` and zlib's errors where it is no layer, else whatever `blob` breaks with.
 */
export async function* layerEntries(
  layer: Layer,
  blob: Readable,
  allowance: ByteAllowance,
): AsyncGenerator<LayerEntry, void> {
  // A connection may break after we stopped reading, when nobody listens.
  blob.on('error', () => undefined);
  const isTitled = layer.title !== null;
  const reader = new ByteReader(
    isTitled ? blob : tarOf(layer, unpackedLayer(blob, allowance)),
    allowance.left,
  );
  try {
    if (layer.title === null) {
      for await (const entry of readTar(reader)) {
        const change = changeOf(entry);
        if (change !== null) yield change;
      }
      return;
    }
    const path = pathOf(Buffer.from(layer.title));
    const content = async function* () {
      for (let piece = await reader.some(PIECE); piece !== null; ) {
        yield piece;
        piece = await reader.some(PIECE);
      }
    };
    if (path !== null && path !== '') {
      yield { kind: 'file', path, size: layer.size, executable: false, content };
    }
  } finally {
    allowance.left -= reader.received;
    blob.destroy();
  }
}

/** Says of a blob that is no tar that it is none, instead of which header of it is wrong. */
async function* tarOf(
  { mediaType }: Layer,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let start: Uint8Array | null = new Uint8Array(0);
  for await (const chunk of chunks) {
    if (start === null) {
      yield chunk;
      continue;
    }
    start = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
    if (start.length < BLOCK) continue;
    const block = start.subarray(0, BLOCK);
    if (decodeHeader(block) === null && !isZeroBlock(block)) throw noTar(mediaType);
    yield start;
    start = null;
  }
  if (start !== null && start.length > 0) throw noTar(mediaType);
}

const noTar = (mediaType: string): ArchiveRefused =>
  new ArchiveRefused(
    'archive',
    `it is no tar archive, or its first tar header is corrupt (its media type is ${JSON.stringify(mediaType.slice(0, 100))})`,
  );

function changeOf(entry: TarEntry): LayerEntry | null {
  const path = pathOf(entry.name);
  if (path === null) return null;
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (name === OPAQUE) return { kind: 'opaque', path: path.slice(0, Math.max(slash, 0)) };
  if (name.startsWith(WHITEOUT)) {
    const hidden = name.slice(WHITEOUT.length);
    // What else begins like this belongs to aufs' own bookkeeping.
    if (hidden === '' || hidden === '.' || hidden === '..' || hidden.startsWith(WHITEOUT))
      return null;
    return { kind: 'whiteout', path: path.slice(0, slash + 1) + hidden };
  }
  if (path === '') return null;
  const { size, executable, content, what, target } = entry;
  switch (entry.kind) {
    case 'file':
      return { kind: 'file', path, size, executable, content };
    case 'directory':
      return { kind: 'directory', path };
    case 'other':
      return { kind: 'other', path, what, target: target === null ? null : pathOf(target) };
  }
}

/** A name as a path inside the image, empty for its root; null: it is none. */
function pathOf(name: Uint8Array): string | null {
  if (name.length > LONGEST_PATH_BYTES || name.includes(0)) return null;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    return null;
  }
  const segments = text.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.includes('..') ? null : segments.join('/');
}
