import type { Readable } from 'node:stream';
import type { Caller } from '../../identity/caller.ts';
import type { DescribedPack } from '../../model/pack-row.ts';
import type { ProblemOf } from '../../outcomes.ts';
import { PACK_ARTIFACT_TYPE } from '../archive/build-image.ts';
import { isElsewhere } from '../image-source.ts';
import { archiveOf } from './edited-archive.ts';
import { imageProblem, openContents, reading, withImageOf } from './open-contents.ts';
import type { OpenedImage } from './open-image.ts';
import type { ReadingWorld } from './reading-world.ts';

/** What is given to read, until it is disposed: a pack as a `.tar.gz`. */
export interface OpenArchive extends Disposable {
  readonly kind: 'open_archive';
  readonly pack: DescribedPack;
  /** Bytes; null where only reading it will tell. */
  readonly size: number | null;
  readonly read: () => AsyncIterable<Uint8Array>;
}

/**
 * Opens a pack that the caller sees as an archive: uploaded again it gives the same image. Of an image that was built
 * here that is its layer as it is, streamed; of any other it is made.
 */
export async function openPackArchive(
  world: ReadingWorld,
  caller: Caller,
  pack: DescribedPack,
): Promise<OpenArchive | ProblemOf<'registry_unavailable'>> {
  const outcome = await withImageOf(world, caller, pack, (current) =>
    // However slowly it is read: only the registry's own patience counts.
    reading(world, current, {}, async (image) => {
      if (image.kind !== 'opened') return imageProblem(image);
      // Another registry is closed when this returns, so nothing can be streamed from it.
      const layer = isElsewhere(current) ? null : ownLayer(image);
      if (layer === null) return { kind: 'foreign' as const };
      const blob: Readable = await image.read(layer);
      return {
        kind: 'open_archive' as const,
        pack: current,
        size: layer.size,
        read: () => blob,
        [Symbol.dispose]: () => void blob.destroy(),
      };
    }),
  );
  if (outcome.kind !== 'foreign') return outcome;
  const contents = await openContents(world, caller, pack);
  if (contents.kind !== 'in_use') return contents;
  return {
    kind: 'open_archive',
    pack,
    size: null,
    read: () => archiveOf(contents.image),
    [Symbol.dispose]: () => contents[Symbol.dispose](),
  };
}

/** The one layer of an image that was built here. */
function ownLayer({ artifactType, layers: [layer, ...others] }: OpenedImage) {
  const isOwn = artifactType === PACK_ARTIFACT_TYPE && others.length === 0;
  return isOwn && layer?.mediaType.endsWith('+gzip') === true ? layer : null;
}
