import type { CallOptions, Digest, Repository } from '../registry.ts';
import { Draft } from './draft.ts';
import type { ImageLayout } from './image-layout.ts';
import { takeOut } from './purge-plan.ts';

type Purged = { readonly kind: 'purged' | 'already_gone' | 'retained_shared' };

/**
 * Takes the manifest, its tags and its referrers out of the index; what nothing reaches then is removed, also where the
 * manifest had gone before: an earlier purge may have come no further. Once the index has changed the caller's signal is
 * no longer checked.
 */
export async function purge(
  layout: ImageLayout,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
  options: CallOptions,
): Promise<Purged> {
  if (held.has(digest)) return { kind: 'retained_shared' };
  return await layout.change({
    repository,
    options,
    removes: true,
    plan: async (draft) => await plan(layout, draft, repository, digest, held),
  });
}

/** What `purge` would do now. */
export async function foreseePurge(
  layout: ImageLayout,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
): Promise<Purged> {
  if (held.has(digest)) return { kind: 'retained_shared' };
  const index = await layout.readIndex();
  await layout.collection.follow(index);
  return await plan(layout, new Draft(index), repository, digest, held);
}

/** All that the index leads to must be known. */
async function plan(
  layout: ImageLayout,
  draft: Draft,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
): Promise<Purged> {
  const isThere = draft.in(repository).some((entry) => entry.digest === digest);
  const change = new Draft(draft);
  if (!(await takeOut(change, repository, digest, held, layout.reachability)))
    return { kind: 'retained_shared' };
  draft.take(change);
  return { kind: isThere ? 'purged' : 'already_gone' };
}
