import { access, readdir } from 'node:fs/promises';
import { Draft } from './draft.ts';
import { renameDurably } from './durable.ts';
import { damagedIndex, ImagesLost, isAbsent } from './failure.ts';
import { Index } from './index.ts';
import { emptyDocument } from './index-document.ts';
import type { Paths } from './paths.ts';
import { readIndex } from './read-index.ts';
import type { Staging } from './staging.ts';

/** Whether the database knows images that were put into this layout. */
export type ImagesKnown = () => Promise<boolean>;

/**
 * Makes the layout where there is none, and marks it as ours. An unmarked one that holds images is of an earlier
 * version. An unmarked one that is empty is new: where images are known, it is the place of a volume that is not
 * mounted, and every deletion would find its image gone already.
 */
export async function initialise(
  paths: Paths,
  staging: Staging,
  imagesKnown: ImagesKnown,
): Promise<void> {
  const marked = await exists(paths.mark);
  if (!marked && (await isEmpty(paths)) && (await imagesKnown())) throw new ImagesLost(paths.mark);
  await makeFiles(paths, staging);
  if (!marked) await renameDurably(await staging.writeText(''), paths.mark);
}

async function isEmpty(paths: Paths): Promise<boolean> {
  return (await exists(paths.index))
    ? (await readIndex(paths.index)).isEmpty()
    : (await readdir(paths.blobs)).length === 0;
}

/** `oci-layout` is written last: where it or any content is, an index that is missing has been lost. */
async function makeFiles(paths: Paths, staging: Staging): Promise<void> {
  if (await exists(paths.version)) return;
  if (!(await exists(paths.index))) {
    if ((await readdir(paths.blobs)).length > 0) throw damagedIndex();
    const index = new Index(emptyDocument);
    const text = index.textAfter(new Draft(index));
    await renameDurably(await staging.writePieces(text), paths.index);
  }
  await renameDurably(await staging.writeText('{"imageLayoutVersion":"1.0.0"}'), paths.version);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}
