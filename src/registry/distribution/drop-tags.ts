/**
 * Tags outlive their manifest in some registries: as a copy of it that still pulls, or as a name that pulls nothing
 * until the same content is uploaded again.
 */
import { subjectOfTag } from '../referrer-tags.ts';
import type { Digest, Repository, Tag } from '../registry.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import type { Peculiarities } from './peculiarities.ts';
import type { RepositoryView } from './repository-view.ts';
import { deleteTag, getManifest, listTags } from './requests.ts';

/** What a purge is made of. */
export interface PurgeWorld {
  readonly client: Client;
  readonly peculiarities: Peculiarities;
  readonly repository: Repository;
  readonly deadline: Deadline;
}

/**
 * Removes what is left of the tags on removed manifests, and answers with those that the registry would not remove.
 * Asks nothing where the registry is known to untag by itself. Throws `CallFailed`.
 *
 * @param before the repository as it was
 * @param certain whether the registry confirmed each deletion; one during which it was killed can leave tags anywhere
 */
export async function dropTags(
  world: PurgeWorld,
  before: RepositoryView,
  removed: ReadonlySet<Digest>,
  certain: boolean,
): Promise<Tag[]> {
  const { client, peculiarities, repository, deadline } = world;
  const known = await before.tagged();
  const dangling = [...(known?.values() ?? [])].includes(null);
  if (known === null || (certain && peculiarities.untags && !dangling)) return [];
  const isOnRemoved = (tag: Tag): boolean => {
    const manifest = known.get(tag);
    return manifest != null && removed.has(manifest.digest);
  };
  const listed = await listTags(client, repository, deadline, null);
  if (listed === null) return [];
  const suspects = listed.filter((tag) => !known.get(tag) || isOnRemoved(tag));
  const left = await tagsOn(world, suspects, removed);
  if (certain && [...known.keys()].some(isOnRemoved)) {
    peculiarities.foundUntagging(!left.some(isOnRemoved));
  }
  if (left.length === 0) return [];
  // Tags about the last referrers go first: what leads to them is there until they are gone, if we are cut off.
  const order = [...removed];
  const depth = (tag: Tag): number => {
    const subject = subjectOfTag(tag);
    return subject !== undefined && removed.has(subject) ? order.indexOf(subject) : order.length;
  };
  const inOrder = left.toSorted((one, other) => depth(one) - depth(other));
  for (const tag of inOrder) await deleteTag(client, repository, tag, deadline);
  const still = new Set(await listTags(client, repository, deadline, null));
  return left.filter((tag) => still.has(tag));
}

/** Those of the tags that pull one of the manifests, or nothing. */
async function tagsOn(
  { client, repository, deadline }: PurgeWorld,
  tags: readonly Tag[],
  removed: ReadonlySet<Digest>,
): Promise<Tag[]> {
  const pulls = await Promise.all(
    tags.map((tag) => getManifest(client, repository, tag, deadline, { actions: 'pull,delete' })),
  );
  return tags.filter((_, at) => {
    const manifest = pulls[at];
    return !manifest || removed.has(manifest.digest);
  });
}

/** Google Artifact Registry deletes no manifest that has tags. A tag moved at this very moment goes as well. */
export async function untag(
  client: Client,
  view: RepositoryView,
  repository: Repository,
  digest: Digest,
  deadline: Deadline,
): Promise<void> {
  for (const [tag, manifest] of (await view.tagged()) ?? []) {
    if (manifest?.digest === digest) await deleteTag(client, repository, tag, deadline);
  }
}
