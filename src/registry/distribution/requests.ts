/** The single requests of the OCI Distribution specification 1.1 that reading and purging are made of. */
import { MAX_MANIFEST_BYTES } from '../manifest-references.ts';
import { type Digest, isTag, type Repository, type Tag } from '../registry.ts';
import { type Answer, contentOf, isRecord } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client, Result } from './client.ts';
import type { Deadline } from './deadline.ts';
import {
  ACCEPT_MANIFESTS,
  digestsIn,
  isManifest,
  jsonOf,
  type Manifest,
  manifestOf,
  OCI_INDEX,
} from './manifest.ts';
import { pages } from './pages.ts';

const MOST_TAGS = 10_000;
const TAGS_PER_PAGE = 1_000;

/** Null on the registry's own word that it is not there. A GET: a HEAD's 404 has no body to say so. */
export async function getManifest(
  client: Client,
  repository: Repository,
  reference: Tag | Digest,
  deadline: Deadline,
  actions = 'pull',
): Promise<Manifest | null> {
  const result = await client.call(
    {
      operation: 'GET manifest',
      method: 'GET',
      url: client.url(`/v2/${repository}/manifests/${reference}`),
      repository,
      actions,
      headers: { accept: ACCEPT_MANIFESTS },
      limit: MAX_MANIFEST_BYTES,
      // A manifest may have any key, `errors` too.
      final: (answer) => answer.status === 200 && (answer.truncated || isManifest(jsonOf(answer))),
    },
    deadline,
  );
  if (result.kind === 'gone') return null;
  return manifestOf(answerOf(result), isTag(reference) ? undefined : reference);
}

export async function deleteManifest(
  client: Client,
  repository: Repository,
  reference: Tag | Digest,
  deadline: Deadline,
): Promise<Result> {
  return client.call(
    {
      operation: isTag(reference) ? 'DELETE tag' : 'DELETE manifest',
      method: 'DELETE',
      url: client.url(`/v2/${repository}/manifests/${reference}`),
      repository,
      actions: 'pull,delete',
      headers: { accept: ACCEPT_MANIFESTS },
      changesManifest: true,
    },
    deadline,
  );
}

/** Null where the registry cannot list them, or has more than we read (10,000). */
export async function listTags(
  client: Client,
  repository: Repository,
  deadline: Deadline,
): Promise<Tag[] | null> {
  const tags: Tag[] = [];
  const first = client.url(`/v2/${repository}/tags/list?n=${TAGS_PER_PAGE}`);
  const call = {
    operation: 'GET tags',
    method: 'GET',
    repository,
    actions: 'pull,delete',
    limit: MAX_MANIFEST_BYTES,
    final: (answer: Answer) => answer.status === 405 || isUnknownRoute(answer),
  } as const;
  for await (const answer of pages(client, call, first, deadline)) {
    if (answer.status !== 200) return null;
    const page = jsonOf(answer);
    // docker-registry says null, not [], once the last tag is gone.
    const listed = isRecord(page) ? (page.tags ?? []) : undefined;
    if (!Array.isArray(listed)) {
      throw new CallFailed(failed('REGISTRY_ERROR', true, 'the registry sent no list of tags'));
    }
    tags.push(...listed.filter((tag) => typeof tag === 'string').filter(isTag));
    if (tags.length > MOST_TAGS) return null;
  }
  return tags;
}

/** `lasting`: the answer is that of a registry without the endpoint, not of whatever stands in front of it. */
export type Referrers =
  | { readonly kind: 'listed'; readonly digests: readonly Digest[] }
  | { readonly kind: 'no_api'; readonly lasting: boolean };

/**
 * What refers to a manifest, by the referrers API (OCI Distribution 1.1, "Listing Referrers").
 * @param seen whether the registry is known to have the API: then only its own word says that it has none
 */
export async function listReferrers(
  client: Client,
  repository: Repository,
  digest: Digest,
  deadline: Deadline,
  seen: boolean,
): Promise<Referrers> {
  const digests: Digest[] = [];
  const first = client.url(`/v2/${repository}/referrers/${digest}`);
  const call = {
    operation: 'GET referrers',
    method: 'GET',
    repository,
    actions: 'pull,delete',
    headers: { accept: OCI_INDEX },
    limit: MAX_MANIFEST_BYTES,
    final: (answer: Answer) =>
      seen
        ? saysUnsupported(answer)
        : answer.status === 405 || answer.status === 200 || isUnknownRoute(answer),
  } as const;
  for await (const answer of pages(client, call, first, deadline)) {
    const type = answer.headers['content-type'] ?? '';
    const isIndex = type.startsWith(OCI_INDEX);
    if (answer.status !== 200 || !(isIndex || seen)) {
      return { kind: 'no_api', lasting: answer.status === 404 && type.startsWith('text/plain') };
    }
    const index = jsonOf(answer);
    if (!isIndex || !isRecord(index)) {
      throw new CallFailed(
        failed('REGISTRY_ERROR', true, 'the registry sent no list of referrers'),
      );
    }
    digests.push(...digestsIn(index.manifests));
  }
  return { kind: 'listed', digests };
}

/** A registry that lacks an endpoint answers like a web server, or that it does not support it. */
function isUnknownRoute(answer: Answer): boolean {
  if (answer.status !== 404 && answer.status !== 400) return false;
  return contentOf(answer).kind !== 'errors' || saysUnsupported(answer);
}

function saysUnsupported(answer: Answer): boolean {
  const content = contentOf(answer);
  return (
    content.kind === 'errors' && content.codes.every((code) => /UNSUPPORTED|NOT_FOUND/.test(code))
  );
}

function answerOf(result: Result): Answer {
  if (result.kind === 'answered') return result.answer;
  throw new CallFailed(
    failed('REGISTRY_ERROR', false, 'the registry refuses to show the manifest'),
  );
}
