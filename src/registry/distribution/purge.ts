import type { Digest, PurgeOutcome, Repository } from '../registry.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client, Result } from './client.ts';
import type { Deadline } from './deadline.ts';
import { planPurge } from './purge-plan.ts';
import { type ReferrersApi, RepositoryView } from './repository-view.ts';
import { deleteManifest } from './requests.ts';

/**
 * Removes a manifest with what refers to it and, for an index, with the children nothing else needs.
 *
 * Blobs are never deleted: other images may share them, and the registry's garbage collection knows.
 * What the outcome says is said of the manifest itself. Throws `CallFailed`.
 */
export async function purge(
  client: Client,
  api: ReferrersApi,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
  deadline: Deadline,
): Promise<PurgeOutcome> {
  const view = new RepositoryView(client, api, repository, deadline);
  const remove = async (target: Digest) => {
    const result = await deleteManifest(client, repository, target, deadline);
    if (result.kind !== 'dangling_tag') return result;
    await untag(client, view, repository, target, deadline);
    return deleteManifest(client, repository, target, deadline);
  };

  const parts = await planPurge(view, digest, held);
  // Some registries (zot) delete a child only after its index. If we are cut off between the two, such a
  // child stays: that residue is theirs to collect, elsewhere the order of the plan leaves none.
  const postponed: Digest[] = [];
  for (const part of parts.filter((part) => part !== digest)) {
    const result = await remove(part);
    if (result.kind === 'needed_by_index') postponed.unshift(part);
    else settled(result);
  }
  const outcome = settled(await remove(digest));
  for (const part of postponed) {
    const result = await remove(part);
    // Still needed: an index that we cannot see, for it has no tag, holds the child.
    if (result.kind !== 'needed_by_index') settled(result);
  }
  return outcome;
}

/** A failed try of our own that may have worked is our purge, not somebody else's. */
function settled(result: Result): PurgeOutcome {
  switch (result.kind) {
    case 'answered':
      return { kind: 'purged' };
    case 'gone':
      return { kind: result.inDoubt ? 'purged' : 'already_gone' };
    case 'needed_by_index':
      throw new CallFailed(
        failed('REGISTRY_ERROR', true, 'the registry keeps the image: an index still names it'),
      );
    case 'dangling_tag':
      throw new CallFailed(
        failed(
          'REGISTRY_ERROR',
          false,
          'the registry keeps the image: tags on it cannot be removed',
        ),
      );
  }
}

/** Google Artifact Registry deletes no manifest that has tags. A tag moved at this very moment goes as well. */
async function untag(
  client: Client,
  view: RepositoryView,
  repository: Repository,
  digest: Digest,
  deadline: Deadline,
): Promise<void> {
  const tags = (await view.tags()) ?? [];
  for (const tag of tags) {
    if ((await view.manifest(tag))?.digest === digest) {
      await deleteManifest(client, repository, tag, deadline);
    }
  }
}
