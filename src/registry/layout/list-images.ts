import type { Digest, Repository, StoredImage, Tag } from '../registry.ts';
import type { ImageLayout } from './image-layout.ts';
import { membership } from './index-document.ts';

/** The manifests that the index names under a namespace, those without a tag included. */
export async function listImages(
  layout: ImageLayout,
  namespace: string,
): Promise<{ readonly kind: 'listed'; readonly images: readonly StoredImage[] }> {
  const found = new Map<string, { repository: Repository; digest: Digest; tags: Tag[] }>();
  for (const entry of (await layout.readIndex()).manifests) {
    const place = membership(entry);
    if (place === undefined || !place.repository.startsWith(`${namespace}/`)) continue;
    const { repository, tag } = place;
    const key = `${repository}@${entry.digest}`;
    const image = found.get(key) ?? { repository, digest: entry.digest, tags: [] };
    if (tag !== undefined) image.tags.push(tag);
    found.set(key, image);
  }
  return { kind: 'listed', images: [...found.values()] };
}
