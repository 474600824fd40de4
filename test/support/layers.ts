/** Images with layers as any tool may have made them, in a registry that is two maps in memory. */
import { Readable } from 'node:stream';
import type { Blob, Descriptor, Digest, Image, Registry } from '../../src/registry/registry.ts';
import { sampleImage, sampleIndex, sampleLayer } from './sample-image.ts';

export type SampleLayer =
  | Uint8Array
  | {
      readonly bytes: Uint8Array;
      readonly mediaType?: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };

/** A layer as a manifest names it, with annotations where the sample has some. */
export function layerBlob(layer: SampleLayer): Blob {
  const { bytes, ...more } = layer instanceof Uint8Array ? { bytes: layer } : layer;
  const blob = sampleLayer(bytes);
  return { ...blob, descriptor: { ...blob.descriptor, ...more } };
}

/** An image of these layers, the lowest first. */
export const imageOf = (layers: readonly SampleLayer[]): Image =>
  sampleImage('layers', { layers: layers.map(layerBlob) });

/** @param indexes how many indexes lie around the image, each in the next */
export function inMemory(layers: readonly SampleLayer[], { indexes = 0 } = {}) {
  const manifests = new Map<Digest, { descriptor: Descriptor; manifest: Uint8Array }>();
  const blobs = new Map<Digest, Blob>();
  let top = imageOf(layers);
  for (const blob of top.blobs) blobs.set(blob.descriptor.digest, blob);
  manifests.set(top.descriptor.digest, top);
  for (let depth = 0; depth < indexes; depth += 1) {
    top = sampleIndex(`index ${depth}`, [top]);
    manifests.set(top.descriptor.digest, top);
  }
  const registry: Pick<Registry, 'readManifest' | 'readBlob'> = {
    async readManifest(_repository, reference) {
      const found = [...manifests.values()].find(
        ({ descriptor }) => descriptor.digest === reference,
      );
      return found === undefined ? { kind: 'missing' } : { kind: 'found', ...found };
    },
    async readBlob(_repository, { digest }) {
      const blob = blobs.get(digest);
      return blob === undefined
        ? { kind: 'missing' }
        : { kind: 'found', content: Readable.from(blob.open()) };
    },
  };
  return { registry, digest: top.descriptor.digest };
}
