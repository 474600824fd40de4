import { failureBehind, type RegistryFailure } from '../../registry/registry.ts';
import { ContentsFile } from './contents-file.ts';
import { faultOfLayer, ImageRefused } from './image-refused.ts';
import { type ImageFile, ImageTree } from './image-tree.ts';
import { layerEntries } from './layer-entries.ts';
import type { OpenedImage } from './open-image.ts';

/** An image as its files, on disk. */
export interface UnpackedImage {
  readonly kind: 'unpacked';
  /** By path. */
  readonly files: readonly ImageFile[];
  readonly directories: readonly string[];
  readonly contents: ContentsFile;
}

/** `refused`: what the image is, as the end of "names …" or "is …". */
export type UnpackOutcome =
  | UnpackedImage
  | { readonly kind: 'refused'; readonly why: string }
  | RegistryFailure;

/**
 * Applies an image's layers, the lowest first; what a later layer deleted or replaced is not in the answer.
 * @param maxBytes of all layers together, unpacked
 */
export async function unpackImage(image: OpenedImage, maxBytes: number): Promise<UnpackOutcome> {
  const contents = await ContentsFile.create();
  try {
    const tree = new ImageTree();
    const allowance = { left: maxBytes };
    for (const [at, layer] of image.layers.entries()) {
      for await (const entry of layerEntries(layer, await image.read(layer), allowance)) {
        if (entry.kind !== 'file') {
          const target = entry.kind === 'other' ? entry.target : null;
          const linked = target === null ? null : tree.fileAt(target);
          // Stored once, but whoever reads the image as a whole gets its bytes once more.
          allowance.left -= linked?.size ?? 0;
          if (allowance.left < 0) {
            throw new ImageRefused(`an image that unpacks to more than ${maxBytes} bytes`);
          }
          tree.apply(entry, at + 1, linked && { ...linked, path: entry.path });
          continue;
        }
        const { path, size, executable } = entry;
        const offset = contents.length;
        const hash = await contents.append(entry.content());
        tree.apply(entry, at + 1, { path, size, executable, offset, hash });
      }
    }
    await contents.seal();
    return { kind: 'unpacked', files: tree.files(), directories: tree.directories(), contents };
  } catch (error) {
    await contents.close();
    if (error instanceof ImageRefused) return { kind: 'refused', why: error.message };
    const failure = failureBehind(error);
    if (failure !== null) return failure;
    const fault = faultOfLayer(error);
    if (fault === null) throw error;
    return { kind: 'refused', why: `an image of which a layer cannot be read: ${fault}` };
  }
}
