import { subjectOfTag } from '../referrer-tags.ts';
import type { Descriptor, Repository, Tag } from '../registry.ts';
import type { Draft } from './draft.ts';
import { isTagged, membership, taggedEntry, untaggedEntry } from './index-document.ts';

/** Sets `tag` to a manifest of the repository. */
export function setTag(draft: Draft, repository: Repository, tag: Tag, manifest: Descriptor): void {
  const here = draft.in(repository);
  const formerly = here.filter((entry) => isTagged(entry, repository, tag));
  for (const entry of formerly) draft.remove(entry);
  for (const entry of here) {
    if (entry.digest === manifest.digest && membership(entry)?.tag === undefined)
      draft.remove(entry);
  }
  draft.add(taggedEntry(manifest, repository, tag));
  // A list of referrers is rewritten for each one; its former states are of no use to anybody.
  if (subjectOfTag(tag) !== undefined) return;
  // What the tag was on before stays in the repository, for another pack may point at its digest.
  for (const entry of formerly) {
    const isHere = draft.in(repository).some(({ digest }) => digest === entry.digest);
    if (!isHere) draft.add(untaggedEntry(entry, repository));
  }
}
