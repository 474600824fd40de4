import { inParallel } from '../in-parallel.ts';
import { placeOfMark } from '../mark-place.ts';
import type {
  Digest,
  Repository,
  RepositoryVisit,
  StoredImage,
  Tag,
  WalkOptions,
} from '../registry.ts';
import type { ImageLayout } from './image-layout.ts';
import { membership } from './index-document.ts';

/** The manifests that the index names under a namespace, those without a tag included. */
async function imagesUnder(
  layout: ImageLayout,
  namespace: string,
): Promise<readonly StoredImage[]> {
  const mark = placeOfMark(namespace).repository;
  const found = new Map<string, { repository: Repository; digest: Digest; tags: Tag[] }>();
  for (const entry of (await layout.readIndex()).all()) {
    const place = membership(entry);
    if (place === undefined || place.repository === mark) continue;
    if (!place.repository.startsWith(`${namespace}/`)) continue;
    const { repository, tag } = place;
    const key = `${repository}@${entry.digest}`;
    const image = found.get(key) ?? { repository, digest: entry.digest, tags: [] };
    if (tag !== undefined) image.tags.push(tag);
    found.set(key, image);
  }
  return [...found.values()];
}

/** Repositories visited at the same time. */
const AT_ONCE = 8;

/** Visits the repositories in the order of their names, each with its images. */
export async function walkImages(
  layout: ImageLayout,
  namespace: string,
  visit: RepositoryVisit,
  { after, reached, signal }: WalkOptions,
): Promise<{ readonly kind: 'walked' }> {
  const images = await imagesUnder(layout, namespace);
  const byRepository = Map.groupBy(images, ({ repository }) => repository);
  const repositories = [...byRepository.keys()].sort();
  await inParallel(
    after === undefined ? repositories : repositories.filter((one) => one > after),
    AT_ONCE,
    async (repository) => {
      signal?.throwIfAborted();
      await visit(repository, byRepository.get(repository) ?? []);
    },
    reached,
  );
  return { kind: 'walked' };
}
