/** What replacing and deleting one file of a pack have in common. */
import type { Caller } from '../identity/caller.ts';
import { invalidField } from '../input.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import { readEntryPath } from './archive/entry-path.ts';
import { editedTar, type FileEdit } from './contents/edited-archive.ts';
import type { ImageFile } from './contents/image-tree.ts';
import { openContents } from './contents/open-contents.ts';
import { noSuchFile } from './contents/pack-files.ts';
import type { ReadingWorld } from './contents/reading-world.ts';
import type { Expectation } from './expected-state.ts';
import { notUploaded, type RevisionRefused, revisable, revisePack } from './revise-pack.ts';
import { withPackImage } from './with-pack-image.ts';

export interface EditPackFileInput {
  /** As the caller sent it; what is no pack id is not found. */
  readonly id: string;
  readonly path: string;
  /** The new content, a file on disk that stays the caller's to remove; null: the file goes. */
  readonly content: FileEdit['content'];
  readonly expected?: Expectation | undefined;
}

export type EditPackFileOutcome =
  | {
      readonly kind: 'edited';
      readonly pack: PackRow;
      /** As it was before; null where it is new. */
      readonly before: ImageFile | null;
      /** As archives have it. */
      readonly path: string;
    }
  | RevisionRefused;

/** Builds the image of a pack again with one file changed; the version stays, its tag moves. */
export async function editPackFile(
  world: ReadingWorld,
  caller: Caller,
  { id, path: asked, content, expected }: EditPackFileInput,
): Promise<EditPackFileOutcome> {
  const found = await revisable(world, caller, id, notEditable);
  if (found.kind !== 'revisable') return found;
  const path = editablePath(asked, content === null);
  if (typeof path !== 'string') return path;
  let before: ImageFile | null = null;
  const revision = {
    event: content === null ? 'PACK_FILE_DELETED' : 'PACK_FILE_REPLACED',
    details: { path },
    problem: notEditable,
  } as const;
  const outcome = await revisePack(world, caller, found.pack, revision, async (pack, publish) => {
    const contents = await openContents(world, caller, pack);
    if (contents.kind !== 'in_use') return contents;
    using inUse = contents;
    before = inUse.image.files.find((file) => file.path === path) ?? null;
    expected?.({ pack, file: before });
    if (content === null && before === null) return noSuchFile(path);
    const tar = editedTar(inUse.image, { path, content });
    // Awaited: the image is in use until this is over.
    return await withPackImage(world, caller.orgId, { tar }, async (metadata, image) => {
      if (metadata.version === pack.version) return publish(metadata, image);
      const message = `must stay ${pack.version}: the next version is a new archive (replacePackArchive)`;
      return invalidField('pack.yaml.version', message);
    });
  });
  return outcome.kind === 'revised'
    ? { kind: 'edited', pack: outcome.pack, before, path }
    : outcome;
}

function notEditable(pack: PackRow): ProblemOf<'pack_not_editable'> | null {
  const problem = notUploaded(pack);
  if (problem !== null || pack.tier === 'COMMUNITY') return problem;
  return { kind: 'pack_not_editable', pack, because: 'tier' };
}

/** A path as archives have it, where it may be changed. */
function editablePath(asked: string, isDeletion: boolean): string | ProblemOf<'validation_failed'> {
  const read = readEntryPath(Buffer.from(asked));
  if (read.kind !== 'path') {
    const message = 'message' in read ? read.message : 'this is not a file of a pack';
    return invalidField('path', message);
  }
  const { segments } = read;
  if (segments.length === 0 || asked.endsWith('/')) return invalidField('path', 'must name a file');
  const path = segments.join('/');
  return path === 'pack.yaml' && isDeletion
    ? invalidField('path', 'pack.yaml cannot be deleted; every pack has one')
    : path;
}
