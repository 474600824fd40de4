import { subjectOfTag } from '../referrer-tags.ts';
import type { Descriptor, Repository, Tag } from '../registry.ts';
import {
  type Entry,
  isIn,
  isTagged,
  membership,
  taggedEntry,
  untaggedEntry,
} from './index-document.ts';

/** The index entries after `tag` was set to a manifest of the repository. */
export function setTag(
  entries: readonly Entry[],
  repository: Repository,
  tag: Tag,
  manifest: Descriptor,
): Entry[] {
  const kept = entries.filter(
    (entry) => !isTagged(entry, repository, tag) && !isUntagged(entry, repository, manifest),
  );
  return [
    ...kept,
    ...formerly(entries, kept, repository, tag, manifest),
    taggedEntry(manifest, repository, tag),
  ];
}

/** What the tag was on before stays in the repository, for another pack may point at its digest. */
function formerly(
  entries: readonly Entry[],
  kept: readonly Entry[],
  repository: Repository,
  tag: Tag,
  manifest: Descriptor,
): Entry[] {
  // A list of referrers is rewritten for each one; its former states are of no use to anybody.
  if (subjectOfTag(tag) !== undefined) return [];
  return entries
    .filter((entry) => isTagged(entry, repository, tag) && entry.digest !== manifest.digest)
    .filter(
      ({ digest }) => !kept.some((other) => other.digest === digest && isIn(other, repository)),
    )
    .map((entry) => untaggedEntry(entry, repository));
}

const isUntagged = (entry: Entry, repository: Repository, { digest }: Descriptor): boolean =>
  entry.digest === digest && isIn(entry, repository) && membership(entry)?.tag === undefined;
