import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ArchiveRefused } from './archive-refused.ts';
import { ByteReader } from './byte-reader.ts';
import { corruptGzip } from './gunzipped.ts';
import { LARGEST_PACK_YAML, type PackMetadataOutcome, parsePackYamlBytes } from './pack-yaml.ts';
import { readTar } from './tar-reader.ts';

const GZIP_FIRST_BYTE = 0x1f;

export interface LayerLimits {
  /** How many unpacked bytes may be read in search of pack.yaml. */
  readonly maxUnpackedBytes: number;
}

/** `missing`: the layer is good and has no pack.yaml, so another layer of the image may. */
export type LayerOutcome =
  | PackMetadataOutcome
  | { readonly kind: 'missing'; readonly unpackedBytes: number };

/**
 * Finds pack.yaml at the top of an existing image's layer (tar, or tar in gzip) and reads it.
 *
 * Any tool may have made the layer, so only pack.yaml is judged: links, devices and odd names elsewhere are not
 * unpacked and not refused. Stops at pack.yaml and destroys `layer`, which therefore was not compared with its
 * digest to the end. Rejects only when `layer` itself breaks.
 */
export async function readPackYamlFromLayer(
  layer: Readable,
  limits: LayerLimits,
): Promise<LayerOutcome> {
  // The same for a connection that breaks after we stopped reading.
  layer.on('error', () => undefined);
  try {
    return await findPackYaml(new ByteReader(unpacked(layer), limits.maxUnpackedBytes));
  } catch (error) {
    const refused = error instanceof ArchiveRefused ? error : corruptGzip(error);
    if (refused === null) throw error;
    const message = `cannot be read from the image's layer: ${refused.problem.message}`;
    return { kind: 'invalid', fields: [{ path: 'pack.yaml', message }] };
  } finally {
    layer.destroy();
  }
}

async function findPackYaml(reader: ByteReader): Promise<LayerOutcome> {
  for await (const entry of readTar(reader)) {
    const name = Buffer.from(entry.name)
      .toString()
      .replace(/^(\.?\/)+/, '');
    if (name !== 'pack.yaml') continue;
    if (entry.kind !== 'file') throw new ArchiveRefused('pack.yaml', `it is ${entry.what}`);
    if (entry.size > LARGEST_PACK_YAML) {
      throw new ArchiveRefused('pack.yaml', `it is larger than ${LARGEST_PACK_YAML} bytes`);
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of entry.content()) pieces.push(piece);
    return parsePackYamlBytes(Buffer.concat(pieces));
  }
  return { kind: 'missing', unpackedBytes: reader.received };
}

/** Tells gzip by its first byte, which no tar starts with: media types of old images are often wrong. */
async function* unpacked(layer: Readable): AsyncGenerator<Uint8Array, void> {
  const chunks: AsyncIterator<Uint8Array> = layer[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const whole = rejoined(first.value, chunks);
  if (first.value[0] !== GZIP_FIRST_BYTE) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip();
  // zlib may fail once more after it was destroyed, when nobody listens any longer.
  gunzip.on('error', () => undefined);
  // What breaks the feeding comes out of `gunzip` too, which is where it is handled.
  pipeline(whole, gunzip).catch(() => undefined);
  try {
    yield* gunzip;
  } finally {
    gunzip.destroy();
  }
}

async function* rejoined(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
