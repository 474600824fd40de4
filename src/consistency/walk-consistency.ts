import type { Database } from '../database/database.ts';
import { packIds } from '../model/ids.ts';
import {
  isRepository,
  type Registry,
  type Repository,
  type StoredImage,
} from '../registry/registry.ts';
import { CheckEnded } from './check-ended.ts';
import type { Finding } from './finding.ts';
import { imagesGone } from './images-gone.ts';
import { orphanedImages } from './orphaned-images.ts';

export interface ImagesWalk {
  /** A place that an earlier check reached, a repository or a pack's id; what comes before it is left out. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each finding; the check waits for it. */
  readonly onFinding: (finding: Finding) => Promise<void>;
  /** Told of the images of each repository, and of each pack, and of the place from which another check can go on. */
  readonly onProgress?: (progress: ImagesProgress) => void;
}

export interface ImagesProgress {
  readonly images: number;
  readonly packs: number;
  /** Null: the beginning. */
  readonly reached: string | null;
}

type Stores = { readonly database: Database; readonly registry: Registry };

/**
 * What database and registry say of each other: every repository of the namespace, then every pack; several at once, and
 * no more held than is being worked on. The service may be at work meanwhile: whatever looks wrong is looked at again, in
 * the order in which uploads and deletions change the two, before it is called a finding.
 * @throws CheckEnded
 */
export async function walkConsistency(
  { database, registry }: Stores,
  namespace: string,
  { after, signal, onFinding, onProgress = () => undefined }: ImagesWalk,
): Promise<void> {
  const progress = { images: 0, packs: 0, reached: after ?? null };
  const afterPack = after === undefined ? null : packIds.parse(after);
  const visit = async (repository: Repository, images: readonly StoredImage[]) => {
    if (signal?.aborted) throw new CheckEnded({ kind: 'interrupted' });
    for (const finding of await orphanedImages(database, registry, repository, images)) {
      await onFinding(finding);
    }
    progress.images += images.length;
  };
  const reached = (place: string) => {
    progress.reached = place;
    onProgress(progress);
  };
  if (afterPack === null) {
    const from = after !== undefined && isRepository(after) ? { after } : {};
    const walked = await registry.walkImages(namespace, visit, {
      ...from,
      ...(signal && { signal }),
      reached,
    });
    if (walked.kind === 'failed') throw new CheckEnded(walked);
  }
  await imagesGone(
    { database, registry },
    {
      after: afterPack,
      signal,
      reached: (pack) => {
        progress.packs++;
        reached(pack);
      },
    },
    onFinding,
  );
}
