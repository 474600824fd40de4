import type { Image, Tag } from '../registry.ts';
import { pushBlob } from './push-blob.ts';
import { putManifest } from './push-manifest.ts';
import type { Target } from './push-target.ts';

/** Uploads what is missing (OCI Distribution 1.1, "Pushing a blob monolithically"), then the manifest. Throws `CallFailed`. */
export async function push(target: Target, tag: Tag, image: Image): Promise<void> {
  const blobs = new Map(image.blobs.map((blob) => [blob.descriptor.digest, blob]));
  await Promise.all([...blobs.values()].map((blob) => pushBlob(target, blob)));
  await putManifest(target, tag, image.descriptor, image.manifest);
}
