/** The single requests of the OCI Distribution specification 1.1 that reading and purging are made of. */
import { MAX_MANIFEST_BYTES } from '../manifest-references.ts';
import { type Digest, isTag, type Repository, type Tag } from '../registry.ts';
import { type Answer, contentOf, isRecord } from './answer.ts';
import type { Call, Result } from './call.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client } from './client.ts';
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
import { ATTEMPTS } from './retry.ts';

/** Each tag has to be asked what it pulls; beyond this a purge could not end within its deadline. */
const MOST_TAGS = 10_000;
const MOST_REFERRERS = 10_000;
const TAGS_PER_PAGE = 1_000;

/** Null on the registry's own word that it is not there. A GET: a HEAD's 404 has no body to say so. */
export async function getManifest(
  client: Client,
  repository: Repository,
  reference: Tag | Digest,
  deadline: Deadline,
  options: Pick<Call, 'actions' | 'mayLeadElsewhere'> = {},
): Promise<Manifest | null> {
  const result = await client.call(
    {
      operation: 'GET manifest',
      method: 'GET',
      url: client.url(`/v2/${repository}/manifests/${reference}`),
      repository,
      actions: 'pull',
      ...options,
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

/** Deletes by digest. */
export function deleteManifest(
  client: Client,
  repository: Repository,
  digest: Digest,
  deadline: Deadline,
): Promise<Result> {
  return client.call(deletion(client, repository, digest), deadline);
}

/**
 * OCI Distribution 1.1, "Deleting tags": a registry need not support it, and whether it did shows in its listing. One
 * that keeps the tag by rule will always refuse; the deletion of an image does not fail for that.
 */
export async function deleteTag(
  client: Client,
  repository: Repository,
  tag: Tag,
  deadline: Deadline,
): Promise<void> {
  const refuses = ({ status }: Answer) => [400, 403, 404, 405, 501].includes(status);
  const call = { ...deletion(client, repository, tag), operation: 'DELETE tag', final: refuses };
  try {
    await client.call(call, deadline);
  } catch (error) {
    if (!(error instanceof CallFailed) || error.failure.retryable) throw error;
  }
}

const deletion = (client: Client, repository: Repository, reference: Tag | Digest): Call => ({
  operation: 'DELETE manifest',
  method: 'DELETE',
  url: client.url(`/v2/${repository}/manifests/${reference}`),
  repository,
  actions: 'pull,delete',
  headers: { accept: ACCEPT_MANIFESTS },
  changesManifest: true,
});

/**
 * Null where the registry cannot list them, or has more than we read (10,000).
 *
 * A page in place of the list may come from a router that has lost its way to the registry for an instant. It counts as
 * "there is no list" only if it goes on coming after the registry has answered for a manifest.
 * @param witness that manifest; null where no page is to count, because the registry is known to list tags
 */
export async function listTags(
  client: Client,
  repository: Repository,
  deadline: Deadline,
  witness: Digest | null,
): Promise<Tag[] | null> {
  const ask = (most: number) => askForTags(client, repository, deadline, most);
  let tags = await ask(witness === null ? Number.POSITIVE_INFINITY : 1);
  if (tags === 'a page' && witness !== null) {
    await getManifest(client, repository, witness, deadline, { actions: 'pull,delete' });
    tags = await ask(ATTEMPTS);
  }
  return tags === 'a page' ? null : tags;
}

/** @param most which page in place of the list is the answer; those before it are failures worth another try */
async function askForTags(
  client: Client,
  repository: Repository,
  deadline: Deadline,
  most: number,
): Promise<Tag[] | null | 'a page'> {
  const tags: Tag[] = [];
  let inPlace = 0;
  const first = client.url(`/v2/${repository}/tags/list?n=${TAGS_PER_PAGE}`);
  const call = {
    operation: 'GET tags',
    method: 'GET',
    repository,
    actions: 'pull,delete',
    limit: MAX_MANIFEST_BYTES,
    final: (answer: Answer) =>
      saysNoSuchRoute(answer) || (answer.status !== 403 && lacksRoute(answer) && ++inPlace >= most),
  } as const;
  for await (const answer of pages(client, call, first, deadline)) {
    if (answer.status !== 200) return saysNoSuchRoute(answer) ? null : 'a page';
    const page = jsonOf(answer);
    // docker-registry says null, not [], once the last tag is gone; some leave the field out. JSON with neither it
    // nor the repository's name does not come from the registry.
    const isList = isRecord(page) && (page.tags !== undefined || typeof page.name === 'string');
    const listed = isList ? (page.tags ?? []) : undefined;
    if (!Array.isArray(listed)) {
      throw new CallFailed(failed('REGISTRY_ERROR', true, 'the registry sent no list of tags'));
    }
    tags.push(...listed.filter((tag) => typeof tag === 'string').filter(isTag));
    if (tags.length > MOST_TAGS) return null;
  }
  return tags;
}

/**
 * `lasting`: the answer is that of a registry without the endpoint, not of a page in its place. `inWords`: it is in the
 * form of a registry's errors.
 */
export type Referrers =
  | { readonly kind: 'listed'; readonly digests: readonly Digest[] }
  | { readonly kind: 'unknown_manifest' }
  | { readonly kind: 'no_api'; readonly lasting: boolean; readonly inWords: boolean };

/**
 * What refers to a manifest, by the referrers API (OCI Distribution 1.1, "Listing Referrers"). That there is no API is
 * believed of a page, as in `listTags`, only when it comes again after the registry has answered for the manifest.
 * @param seen whether the registry is known to have the API: then only its own word says that it has none
 */
export async function listReferrers(
  client: Client,
  repository: Repository,
  digest: Digest,
  deadline: Deadline,
  seen: boolean,
): Promise<Referrers> {
  const ask = () => askForReferrers(client, repository, digest, deadline, seen);
  const first = await ask();
  if (first.kind !== 'no_api' || first.inWords) return first;
  await getManifest(client, repository, digest, deadline, { actions: 'pull,delete' });
  return ask();
}

async function askForReferrers(
  client: Client,
  repository: Repository,
  digest: Digest,
  deadline: Deadline,
  seen: boolean,
): Promise<Referrers> {
  const digests: Digest[] = [];
  let isListed = false;
  const first = client.url(`/v2/${repository}/referrers/${digest}`);
  const call = {
    operation: 'GET referrers',
    method: 'GET',
    repository,
    actions: 'pull,delete',
    headers: { accept: OCI_INDEX },
    limit: MAX_MANIFEST_BYTES,
    final: (answer: Answer) =>
      seen ? saysNoSuchRoute(answer) : answer.status === 200 || lacksRoute(answer),
  } as const;
  for await (const answer of pages(client, call, first, deadline)) {
    const type = answer.headers['content-type'] ?? '';
    const isIndex = type.startsWith(OCI_INDEX);
    if (answer.status !== 200 || !(isIndex || seen)) {
      const isPage = answer.status === 200 || (answer.status === 404 && /html/i.test(type));
      const inWords = contentOf(answer).kind === 'errors';
      return { kind: 'no_api', lasting: !isPage && !isAboutThis(answer), inWords };
    }
    const index = jsonOf(answer);
    if (!isIndex || !isRecord(index)) {
      throw new CallFailed(
        failed('REGISTRY_ERROR', true, 'the registry sent no list of referrers'),
      );
    }
    isListed = true;
    digests.push(...digestsIn(index.manifests));
    if (digests.length > MOST_REFERRERS) {
      throw new CallFailed(
        failed('REGISTRY_ERROR', false, 'more than 10,000 manifests refer to the image'),
      );
    }
  }
  return isListed ? { kind: 'listed', digests } : { kind: 'unknown_manifest' };
}

/**
 * How registries answer at an endpoint that they lack: like a web server, or in their own words. A 403 comes from a
 * firewall that lets only known paths through; where the account lacks the permission, the manifest's own GET fails.
 */
function lacksRoute(answer: Answer): boolean {
  const { status } = answer;
  if (status === 403 || status === 405 || status === 501) return true;
  if (status !== 404 && status !== 400) return false;
  return contentOf(answer).kind !== 'errors' || saysNoSuchRoute(answer);
}

function saysNoSuchRoute(answer: Answer): boolean {
  const content = contentOf(answer);
  return (
    content.kind === 'errors' &&
    content.codes.every((code) => /UNSUPPORTED|NOT_FOUND|METHOD_UNKNOWN|NAME_INVALID/.test(code))
  );
}

/** Words that may be about this one repository or account (Harbor's for all that is not there), not the endpoint. */
function isAboutThis(answer: Answer): boolean {
  const content = contentOf(answer);
  return (
    content.kind === 'errors' && content.codes.some((code) => /NOT_FOUND|DENIED|UNAUTH/.test(code))
  );
}

function answerOf(result: Result): Answer {
  if (result.kind === 'answered') return result.answer;
  throw new CallFailed(
    failed('REGISTRY_ERROR', false, 'the registry refuses to show the manifest'),
  );
}
