import type { Image, Tag } from '../registry.ts';
import { pushBlob } from './push-blob.ts';
import { putImage } from './push-manifest.ts';
import type { Target } from './push-target.ts';

/** Uploads what is missing (OCI Distribution 1.1, "Pushing a blob monolithically"), then the manifest. Throws `CallFailed`. */
export async function push(target: Target, tag: Tag, image: Image): Promise<void> {
  const once = new Map(image.blobs.map((blob) => [blob.descriptor.digest, blob]));
  const blobs = [...once.values()];
  await Promise.all(blobs.map((blob) => pushBlob(target, blob)));
  await putImage(target, tag, { ...image, blobs });
}
