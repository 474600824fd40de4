import type { CallOptions, Digest, Repository } from '../registry.ts';
import type { ImageLayout } from './image-layout.ts';
import { type Entry, isIn } from './index-document.ts';
import { entriesAfterPurge } from './purge-plan.ts';

/**
 * Takes the manifest, its tags and its referrers out of the index, then removes what nothing reaches.
 *
 * In this order a crash leaves content that nobody can name, for the next start to remove, and a failing disk leaves
 * it for the next purge: that is why one that finds the manifest gone collects as well. From the change of the index on
 * the caller's signal is not asked any more.
 */
export async function purge(
  layout: ImageLayout,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
  options: CallOptions,
): Promise<{ kind: 'purged' | 'already_gone' | 'retained_shared' }> {
  if (held.has(digest)) return { kind: 'retained_shared' };
  return await layout.exclusively(options.signal, async () => {
    let index = await layout.readIndex();
    const before = index.manifests;
    const after = await entriesAfterPurge(before, repository, digest, held, layout.reachability);
    if (after === null) return { kind: 'retained_shared' };
    options.signal?.throwIfAborted();
    if (after !== before) {
      index = { ...index, manifests: after };
      await layout.shrinkIndex(index, options);
    }
    await layout.collect(index);
    return { kind: isThere(before, repository, digest) ? 'purged' : 'already_gone' };
  });
}

/** What `purge` would do now. */
export async function foreseePurge(
  layout: ImageLayout,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
): Promise<{ kind: 'purged' | 'already_gone' | 'retained_shared' }> {
  if (held.has(digest)) return { kind: 'retained_shared' };
  const { manifests } = await layout.readIndex();
  const after = await entriesAfterPurge(manifests, repository, digest, held, layout.reachability);
  if (after === null) return { kind: 'retained_shared' };
  return { kind: isThere(manifests, repository, digest) ? 'purged' : 'already_gone' };
}

const isThere = (entries: readonly Entry[], repository: Repository, digest: Digest): boolean =>
  entries.some((entry) => entry.digest === digest && isIn(entry, repository));
