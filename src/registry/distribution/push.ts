import type { Image, Tag } from '../registry.ts';
import { pushBlob, sendBlob } from './push-blob.ts';
import { BlobsLost, putManifest } from './push-manifest.ts';
import type { Target } from './push-target.ts';

/** Uploads what is missing (OCI Distribution 1.1, "Pushing a blob monolithically"), then the manifest. Throws `CallFailed`. */
export async function push(target: Target, tag: Tag, image: Image): Promise<void> {
  const blobs = new Map(image.blobs.map((blob) => [blob.descriptor.digest, blob]));
  await Promise.all([...blobs.values()].map((blob) => pushBlob(target, blob)));
  try {
    await putManifest(target, tag, image.descriptor, image.manifest);
  } catch (error) {
    if (!(error instanceof BlobsLost)) throw error;
    // A registry that remembers blobs which its garbage collection has removed says that they are there.
    await Promise.all([...blobs.values()].map((blob) => sendBlob(target, blob)));
    await putManifest(target, tag, image.descriptor, image.manifest);
  }
}
