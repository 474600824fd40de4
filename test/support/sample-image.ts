/** Small images with known content, for tests of registries. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Blob, type Descriptor, type Image, isDigest } from '../../src/registry/registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** The descriptor of these bytes. */
function describeBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (!isDigest(digest)) throw new Error('a digest that is none');
  return { mediaType, digest, size: bytes.byteLength };
}

function sampleBlob(mediaType: string, content: string | Uint8Array): Blob {
  const bytes = Buffer.from(content);
  return { descriptor: describeBytes(mediaType, bytes), open: () => Readable.from([bytes]) };
}

export const sampleLayer = (content: string | Uint8Array): Blob => sampleBlob(LAYER, content);

/** An image with one config and the given layers; `subject` makes it a referrer of another manifest. */
export function sampleImage(
  name: string,
  options: { layers?: readonly Blob[]; subject?: Descriptor } = {},
): Image {
  const layers = options.layers ?? [sampleLayer(`layer of ${name}\n`.repeat(500))];
  const config = sampleBlob(
    CONFIG,
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      author: name,
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.descriptor.digest) },
    }),
  );
  return image(MANIFEST, [config, ...layers], {
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
    ...(options.subject && { subject: options.subject }),
    annotations: { 'org.opencontainers.image.title': name },
  });
}

/** An index of the given images, which are sent along with it. */
export function sampleIndex(name: string, children: readonly Image[]): Image {
  const blobs = children.flatMap((child) => [
    ...child.blobs,
    sampleBlob(child.descriptor.mediaType, child.manifest),
  ]);
  return image(INDEX, blobs, {
    manifests: children.map((child) => child.descriptor),
    annotations: { 'org.opencontainers.image.title': name },
  });
}

function image(mediaType: string, blobs: readonly Blob[], content: object): Image {
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content }));
  return { manifest, descriptor: describeBytes(mediaType, manifest), blobs };
}
