import type { Digest, ForeseenOutcome, PurgeOutcome, Repository } from '../registry.ts';
import type { Answer } from './answer.ts';
import type { Result } from './call.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import { dropTags, type PurgeWorld, untag } from './drop-tags.ts';
import type { Peculiarities } from './peculiarities.ts';
import { planPurge } from './purge-plan.ts';
import { RepositoryView } from './repository-view.ts';
import { deleteManifest, getManifest } from './requests.ts';

/**
 * Removes a manifest with what refers to it and, for an index, with the children nothing else needs; then the tags
 * that the registry has left.
 *
 * Blobs are never deleted: other images may share them, and the registry's garbage collection knows.
 * What the outcome says is said of the manifest itself. Throws `CallFailed`.
 * @param view the repository as it is before
 */
export async function purge(
  world: PurgeWorld,
  view: RepositoryView,
  digest: Digest,
  held: ReadonlySet<Digest>,
): Promise<PurgeOutcome> {
  const { client, repository, deadline } = world;
  // Whether the registry has said of every single manifest that it deleted it just now.
  let certain = true;
  const remove = async (target: Digest): Promise<Removal> => {
    let result = await deleteManifest(client, repository, target, deadline);
    if (result.kind === 'dangling_tag') {
      await untag(client, view, repository, target, deadline);
      result = await deleteManifest(client, repository, target, deadline);
    }
    if (result.kind !== 'answered') certain = false;
    else if (!isBare(result.answer)) await confirm(target);
    return removalOf(result);
  };

  /** A success that says more than registries do may be a proxy's own: the manifest must really be gone. */
  const confirm = async (target: Digest): Promise<void> => {
    if (
      (await getManifest(client, repository, target, deadline, { actions: 'pull,delete' })) === null
    )
      return;
    throw new CallFailed(
      failed(
        'REGISTRY_ERROR',
        true,
        'the deletion was reported as done, but the image is still there',
      ),
    );
  };

  const parts = await planPurge(view, digest, held);
  if (parts === null) return { kind: 'retained_shared' };
  // Some registries delete a child only after its index (zot, GitLab), and a referrer only after the index under the
  // fallback tag (Google): what is refused is tried again for as long as something else goes. If we are cut off
  // meanwhile, such a child stays: that residue is theirs to collect, elsewhere the order of the plan leaves none.
  let kind: Removal = 'needed_by_index';
  let left: readonly Digest[] = parts;
  for (let before = left.length + 1; left.length > 0 && left.length < before; ) {
    before = left.length;
    const refused: Digest[] = [];
    for (const part of left) {
      const removal = await remove(part);
      if (removal === 'needed_by_index') refused.unshift(part);
      if (part === digest) kind = removal;
    }
    left = refused;
  }
  if (kind === 'needed_by_index') {
    throw new CallFailed(
      failed('REGISTRY_ERROR', true, 'the registry keeps the image: an index still names it'),
    );
  }
  // Others that are left: an index that has no tag, and so cannot be seen, holds them.
  const removed = new Set(parts.filter((part) => !left.includes(part)));
  const remainingTags = await dropTags(world, view, removed, certain);
  return remainingTags.length === 0 ? { kind } : { kind, remainingTags };
}

/** As registries answer a DELETE: with nothing, or an object without anything in it. */
const isBare = ({ body }: Answer): boolean => ['', '{}'].includes(body.toString('utf8').trim());

/** What `purge` would do now. Throws `CallFailed`. */
export async function foreseePurge(
  client: Client,
  peculiarities: Peculiarities,
  repository: Repository,
  digest: Digest,
  held: ReadonlySet<Digest>,
  deadline: Deadline,
): Promise<ForeseenOutcome> {
  const view = new RepositoryView(client, peculiarities, { repository, subject: digest }, deadline);
  const parts = await planPurge(view, digest, held);
  if (parts === null) return { kind: 'retained_shared' };
  return { kind: (await view.manifest(digest)) === null ? 'already_gone' : 'purged' };
}

type Removal = 'purged' | 'already_gone' | 'needed_by_index';

/** Where a failed try of our own may have worked, the purge was ours and not somebody else's. */
function removalOf(result: Result): Removal {
  switch (result.kind) {
    case 'answered':
      return 'purged';
    case 'gone':
      return result.inDoubt ? 'purged' : 'already_gone';
    case 'needed_by_index':
      return 'needed_by_index';
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
