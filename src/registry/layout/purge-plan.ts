import { subjectOfTag } from '../referrer-tags.ts';
import type { Descriptor, Digest, Repository } from '../registry.ts';
import { type Entry, isIn, isNowhere, membership, untaggedEntry } from './index-document.ts';
import type { Reachability } from './reachability.ts';

/**
 * The index entries that are left when `digest` and all that refers to it have gone from the repository; null where
 * it cannot go, because what is left there needs it.
 */
export async function entriesAfterPurge(
  entries: readonly Entry[],
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
  reachability: Reachability,
): Promise<readonly Entry[] | null> {
  const gone = new Set([digest]);
  let left = entries;
  await reachability.readNew(entries);
  // Each round may orphan manifests (children of an index, a list of referrers) that others refer to.
  for (;;) {
    const leaving = new Set<Entry>();
    for (const entry of left) {
      const isOurs = isIn(entry, repository);
      if (held.has(entry.digest) || !(isOurs || isNowhere(entry))) continue;
      const goes = isOurs
        ? gone.has(entry.digest) || (await isAboutOneOf(gone, entry, reachability))
        : await isAttached(gone, entry, left, repository, reachability);
      if (goes) leaving.add(entry);
    }
    if (leaving.size === 0) {
      return (await reachedIn(repository, left, reachability)).has(digest) ? null : left;
    }
    const { manifests: removed } = await reachability.from(leaving);
    left = left.filter((entry) => !leaving.has(entry));
    left = [...left, ...(await heldWithoutEntry(left, repository, removed, held, reachability))];
    const needed = await reachedIn(repository, left, reachability);
    for (const orphan of removed.keys()) if (!needed.has(orphan)) gone.add(orphan);
  }
}

/**
 * Whether an entry of no repository is a referrer, as oras attaches them to a layout, of what goes and is in no other
 * repository.
 */
async function isAttached(
  gone: ReadonlySet<Digest>,
  entry: Entry,
  entries: readonly Entry[],
  repository: Repository,
  reachability: Reachability,
): Promise<boolean> {
  const subject = (await reachability.references(entry.digest))?.subject;
  if (subject === undefined || !gone.has(subject)) return false;
  const others = entries.filter((other) => other !== entry && !isIn(other, repository));
  return !reachability.isNeeded(subject, new Set(others.map(({ digest }) => digest)));
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
  const reached = await reachedIn(repository, left, reachability);
  return [...removed.values()]
    .filter(({ digest }) => held.has(digest) && !reached.has(digest))
    .map((descriptor) => untaggedEntry(descriptor, repository));
}

/** The manifests that a repository's entries lead to, their own included. */
async function reachedIn(
  repository: Repository,
  entries: readonly Entry[],
  reachability: Reachability,
): Promise<ReadonlyMap<Digest, Descriptor>> {
  const own = entries.filter((entry) => isIn(entry, repository));
  return (await reachability.from(own)).manifests;
}
