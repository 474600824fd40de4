import type { CallOptions, Digest, Repository } from '../registry.ts';
import { Draft } from './draft.ts';
import type { ImageLayout } from './image-layout.ts';
import type { Index } from './index.ts';
import { takeOut } from './purge-plan.ts';

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
    const index = await layout.readIndex();
    const isThere = has(index, repository, digest);
    const change = await planned(layout, index, repository, digest, held);
    if (change === null) return { kind: 'retained_shared' };
    options.signal?.throwIfAborted();
    if (!change.isEmpty()) await layout.shrink(index, change, options);
    await layout.collection.collect(index);
    return { kind: isThere ? 'purged' : 'already_gone' };
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
  const index = await layout.readIndex();
  const isThere = has(index, repository, digest);
  const change = await planned(layout, index, repository, digest, held);
  if (change === null) return { kind: 'retained_shared' };
  return { kind: isThere ? 'purged' : 'already_gone' };
}

/** Null where the image cannot go. */
async function planned(
  layout: ImageLayout,
  index: Index,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
): Promise<Draft | null> {
  await layout.collection.follow(index);
  const change = new Draft(index);
  return (await takeOut(change, repository, digest, held, layout.reachability)) ? change : null;
}

const has = (index: Index, repository: Repository, digest: Digest): boolean =>
  index.in(repository).some((entry) => entry.digest === digest);
