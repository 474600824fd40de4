import { subjectOfTag } from '../referrer-tags.ts';
import type { Descriptor, Digest, Repository } from '../registry.ts';
import { type Entry, isIn, membership, untaggedEntry } from './index-document.ts';
import type { Reachability } from './reachability.ts';

/** The index entries that are left when `digest` and all that refers to it have gone from the repository. */
export async function entriesAfterPurge(
  entries: readonly Entry[],
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
  reachability: Reachability,
): Promise<readonly Entry[]> {
  const gone = new Set([digest]);
  let left = entries;
  // Each round may orphan manifests (children of an index, a list of referrers) that others refer to.
  for (;;) {
    const leaving = new Set<Entry>();
    for (const entry of left) {
      if (!isIn(entry, repository) || held.has(entry.digest)) continue;
      if (gone.has(entry.digest) || (await isAboutOneOf(gone, entry, reachability)))
        leaving.add(entry);
    }
    if (leaving.size === 0) return left;
    const { manifests: removed } = await reachability.from(leaving);
    left = left.filter((entry) => !leaving.has(entry));
    left = [...left, ...(await heldWithoutEntry(left, repository, removed, held, reachability))];
    const { manifests: needed } = await reachability.from(
      left.filter((entry) => isIn(entry, repository)),
    );
    for (const orphan of removed.keys()) if (!needed.has(orphan)) gone.add(orphan);
  }
}

async function isAboutOneOf(
  gone: ReadonlySet<Digest>,
  entry: Entry,
  reachability: Reachability,
): Promise<boolean> {
  const tag = membership(entry)?.tag;
  const named = tag && subjectOfTag(tag);
  if (named !== undefined && gone.has(named)) return true;
  const subject = (await reachability.references(entry.digest))?.subject;
  return subject !== undefined && gone.has(subject);
}

/** A held child of a removed index has been in the repository only through it: it gets its own entry. */
async function heldWithoutEntry(
  left: readonly Entry[],
  repository: Repository,
  removed: ReadonlyMap<Digest, Descriptor>,
  held: ReadonlySet<Digest>,
  reachability: Reachability,
): Promise<Entry[]> {
  const { manifests } = await reachability.from(left.filter((entry) => isIn(entry, repository)));
  return [...removed.values()]
    .filter(({ digest }) => held.has(digest) && !manifests.has(digest))
    .map((descriptor) => untaggedEntry(descriptor, repository));
}
