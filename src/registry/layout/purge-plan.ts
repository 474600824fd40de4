import { subjectOfTag } from '../referrer-tags.ts';
import type { Descriptor, Digest, Repository } from '../registry.ts';
import type { Draft } from './draft.ts';
import { type Entry, isIn, membership, untaggedEntry } from './index-document.ts';
import type { Reachability, Reached } from './reachability.ts';

/**
 * Takes `digest` and all that refers to it out of the repository; false where it cannot go, because what is left there
 * needs it: the draft is of no use then. Every manifest that the index leads to must be known.
 */
export async function takeOut(
  draft: Draft,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
  reachability: Reachability,
): Promise<boolean> {
  const gone = new Set([digest]);
  // Each round may orphan manifests (children of an index, a list of referrers) that others refer to.
  for (;;) {
    const leaving: Entry[] = [];
    for (const entry of draft.in(repository)) {
      if (held.has(entry.digest)) continue;
      if (gone.has(entry.digest) || (await isAboutOneOf(gone, entry, reachability)))
        leaving.push(entry);
    }
    for (const entry of draft.nowhere()) {
      if (held.has(entry.digest)) continue;
      if (await isAttached(gone, entry, draft, repository, reachability)) leaving.push(entry);
    }
    if (leaving.length === 0) {
      return !(await reachedIn(repository, draft, reachability)).has(digest);
    }
    const { manifests: removed } = await reachability.from(leaving);
    for (const entry of leaving) draft.remove(entry);
    await addHeld(draft, repository, removed, held, reachability);
    const needed = await reachedIn(repository, draft, reachability);
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
  draft: Draft,
  repository: Repository,
  reachability: Reachability,
): Promise<boolean> {
  const subject = (await reachability.references(entry.digest))?.subject;
  if (subject === undefined || !gone.has(subject)) return false;
  return !reachability.isNeeded(subject, (root) =>
    draft.naming(root).some((other) => other !== entry && !isIn(other, repository)),
  );
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
async function addHeld(
  draft: Draft,
  repository: Repository,
  removed: ReadonlyMap<Digest, Descriptor>,
  held: ReadonlySet<Digest>,
  reachability: Reachability,
): Promise<void> {
  const reached = await reachedIn(repository, draft, reachability);
  for (const descriptor of removed.values()) {
    if (held.has(descriptor.digest) && !reached.has(descriptor.digest))
      draft.add(untaggedEntry(descriptor, repository));
  }
}

/** The manifests that a repository's entries lead to, their own included. */
async function reachedIn(
  repository: Repository,
  draft: Draft,
  reachability: Reachability,
): Promise<Reached['manifests']> {
  return (await reachability.from(draft.in(repository))).manifests;
}
