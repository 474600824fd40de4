import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Blob, Digest, Image } from '../../registry/registry.ts';
import { isDigest } from '../../registry/registry.ts';
import { canonicalTar } from './canonical-tar.ts';
import type { PackContents } from './pack-contents.ts';

/** What our images are, for tools that list artifacts by type. */
export const PACK_ARTIFACT_TYPE = 'application/vnd.packgateway.pack.v1';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Never to be changed: another level gives another digest for the same content. */
const GZIP_LEVEL = 6;
/** RFC 1952, 2.3.1: byte 9 names the operating system; 255 is "unknown", since zlib's own value differs by platform. */
const GZIP_OS = { at: 9, unknown: 255 };

export interface PackImage extends Image {
  /** Manifest, config and compressed layer together: what the registry stores for it. */
  readonly sizeBytes: number;
  /** The compressed layer alone, which is the pack's archive. */
  readonly layerBytes: number;
}

/**
 * Builds the image of a pack: one gzip layer, a real image config and a manifest.
 *
 * A config of the `empty` type would be shorter, but containerd refuses to mount such an image. The digest depends
 * on the content alone: order, times, owners, compression and wrapping directory of the upload leave no trace.
 * The layer is a file in `workDirectory`, which must outlive the image's blobs.
 */
export async function buildPackImage(
  pack: PackContents,
  workDirectory: string,
): Promise<PackImage> {
  const layer = await writeLayer(pack, join(workDirectory, 'layer.tar.gz'));
  // The content runs anywhere, but a config must name a platform; amd64 is what pulls without --platform.
  const config = inMemory(CONFIG, {
    architecture: 'amd64',
    config: {},
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
  });
  const { name, version, description } = pack.metadata;
  const manifest = inMemory(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: PACK_ARTIFACT_TYPE,
    config: config.descriptor,
    layers: [layer.blob.descriptor],
    annotations: {
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.version': version,
    },
  });
  const blobs = [config, layer.blob];
  return {
    manifest: manifest.bytes,
    descriptor: manifest.descriptor,
    blobs,
    sizeBytes: [manifest, ...blobs].reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    layerBytes: layer.blob.descriptor.size,
  };
}

async function writeLayer(
  pack: PackContents,
  path: string,
): Promise<{ blob: Blob; diffId: Digest }> {
  const uncompressed = createHash('sha256');
  const compressed = createHash('sha256');
  let size = 0;
  await pipeline(
    canonicalTar(pack),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        uncompressed.update(chunk);
        yield chunk;
      }
    },
    createGzip({ level: GZIP_LEVEL }),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        const os = GZIP_OS.at - size;
        if (os >= 0 && os < chunk.length) chunk[os] = GZIP_OS.unknown;
        compressed.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
  );
  return {
    diffId: digest(uncompressed.digest('hex')),
    blob: {
      descriptor: { mediaType: LAYER, digest: digest(compressed.digest('hex')), size },
      open: () => createReadStream(path),
    },
  };
}

/** A JSON document whose keys keep the order in which they are written here, so its bytes never vary. */
function inMemory(mediaType: string, document: object): Blob & { readonly bytes: Uint8Array } {
  const bytes = Buffer.from(JSON.stringify(document));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    bytes,
    descriptor: { mediaType, digest: digest(sha256), size: bytes.length },
    open: () => Readable.from([bytes]),
  };
}

function digest(hex: string): Digest {
  const value = `sha256:${hex}`;
  if (!isDigest(value)) throw new Error(`Not a SHA-256 in hex: ${hex}`);
  return value;
}
