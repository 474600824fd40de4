import { inParallel } from '../in-parallel.ts';
import { MAX_MANIFEST_BYTES } from '../manifest-references.ts';
import { placeOfMark } from '../mark-place.ts';
import {
  type Digest,
  isRepository,
  type Repository,
  type RepositoryVisit,
  type StoredImage,
  type Tag,
  type WalkOptions,
} from '../registry.ts';
import { isRecord } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client } from './client.ts';
import { type Deadline, within } from './deadline.ts';
import { jsonOf } from './manifest.ts';
import { pages } from './pages.ts';
import { getManifest, listTags } from './requests.ts';

/** What registries allow at most, as docker-registry does; one that gives fewer says where it goes on. */
const REPOSITORIES_PER_PAGE = 1_000;
/** Repositories asked at the same time; a check must not crowd out the requests of callers. */
const AT_ONCE = 8;

/**
 * Visits every repository under a namespace with its tagged manifests; `patience` (milliseconds) is for one repository
 * each. Throws `CallFailed`.
 */
export async function walkImages(
  client: Client,
  namespace: string,
  patience: number,
  visit: RepositoryVisit,
  { after, reached, ...options }: WalkOptions,
): Promise<void> {
  const time = { patience, options };
  await within(time, (ofCatalogue) =>
    inParallel(
      // Pages are read as they are needed.
      listRepositories(client, namespace, after, ofCatalogue),
      AT_ONCE,
      async (repository) => {
        const images = await within(time, (deadline) => imagesOf(client, repository, deadline));
        await visit(repository, images);
      },
      reached,
    ),
  );
}

/** Docker Registry HTTP API v2, "Listing Repositories"; OCI Distribution left it out, its registries did not. */
async function* listRepositories(
  client: Client,
  namespace: string,
  after: Repository | undefined,
  deadline: Deadline,
): AsyncGenerator<Repository, undefined, undefined> {
  const call = {
    operation: 'GET catalog',
    method: 'GET',
    repository: '',
    scope: 'registry:catalog:*',
    limit: MAX_MANIFEST_BYTES,
  } as const;
  const last = after === undefined ? '' : `&last=${encodeURIComponent(after)}`;
  const mark = placeOfMark(namespace).repository;
  const first = client.url(`/v2/_catalog?n=${REPOSITORIES_PER_PAGE}${last}`);
  for await (const answer of pages(client, call, first, deadline)) {
    // Each page has the whole time to arrive, however long its repositories take.
    deadline.pause();
    const page = jsonOf(answer);
    const listed = isRecord(page) ? (page.repositories ?? []) : undefined;
    if (!Array.isArray(listed)) {
      throw new CallFailed(
        failed('REGISTRY_ERROR', true, 'the registry sent no list of repositories'),
      );
    }
    for (const name of listed) {
      if (typeof name !== 'string' || !isRepository(name) || name === mark) continue;
      if (name.startsWith(`${namespace}/`)) yield name;
    }
    deadline.extend();
  }
}

async function imagesOf(
  client: Client,
  repository: Repository,
  deadline: Deadline,
): Promise<StoredImage[]> {
  const tags = await listTags(client, repository, deadline, null);
  if (tags === null) {
    throw new CallFailed(failed('REGISTRY_ERROR', false, 'the registry cannot list tags'));
  }
  const byDigest = new Map<Digest, Tag[]>();
  for (const tag of tags) {
    deadline.extend();
    const manifest = await getManifest(client, repository, tag, deadline);
    // Deleted since the tags were listed.
    if (manifest === null) continue;
    byDigest.set(manifest.digest, [...(byDigest.get(manifest.digest) ?? []), tag]);
  }
  return [...byDigest].map(([digest, tagged]) => ({ repository, digest, tags: tagged }));
}
