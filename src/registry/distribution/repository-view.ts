import { performance } from 'node:perf_hooks';
import { type Digest, isTag, type Repository, type Tag } from '../registry.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import type { Manifest } from './manifest.ts';
import { getManifest, listReferrers, listTags } from './requests.ts';

const FORGET_AFTER_MS = 5 * 60_000;

/** Remembers that a registry has no referrers API, so that not every purge asks again; a few minutes long. */
export class ReferrersApi {
  #absentUntil = 0;

  get known(): 'absent' | 'perhaps' {
    return performance.now() < this.#absentUntil ? 'absent' : 'perhaps';
  }

  foundAbsent(): void {
    this.#absentUntil = performance.now() + FORGET_AFTER_MS;
  }
}

/** What a purge sees of a repository: each thing is read once, when first asked for. */
export class RepositoryView {
  readonly #client: Client;
  readonly #api: ReferrersApi;
  readonly #repository: Repository;
  readonly #deadline: Deadline;
  readonly #manifests = new Map<string, Promise<Manifest | null>>();
  #tags: Promise<Tag[] | null> | undefined;

  constructor(client: Client, api: ReferrersApi, repository: Repository, deadline: Deadline) {
    this.#client = client;
    this.#api = api;
    this.#repository = repository;
    this.#deadline = deadline;
  }

  manifest(reference: Digest | Tag): Promise<Manifest | null> {
    let found = this.#manifests.get(reference);
    if (!found) {
      found = getManifest(this.#client, this.#repository, reference, this.#deadline, 'pull,delete');
      this.#manifests.set(reference, found);
    }
    return found;
  }

  /** Null where the registry cannot tell. */
  tags(): Promise<Tag[] | null> {
    this.#tags ??= listTags(this.#client, this.#repository, this.#deadline);
    return this.#tags;
  }

  /** What the referrers API lists; the list is the registry's own reading of each `subject` field. */
  async listedReferrers(digest: Digest): Promise<readonly Digest[]> {
    if (this.#api.known === 'absent') return [];
    const listed = await listReferrers(this.#client, this.#repository, digest, this.#deadline);
    if (listed.kind === 'listed') return listed.digests;
    if (listed.lasting) this.#api.foundAbsent();
    return [];
  }

  /**
   * The manifests behind the tags that name this one: the index of the referrers tag schema
   * (OCI Distribution 1.1, "Referrers Tag Schema") and cosign's `.sig`, `.att` and `.sbom`.
   */
  async taggedReferrers(digest: Digest): Promise<Manifest[]> {
    const names = referrerTags(digest);
    const tags = await this.tags();
    const present = tags === null ? names : names.filter((name) => tags.includes(name));
    const manifests = await Promise.all(present.map((tag) => this.manifest(tag)));
    return manifests.filter((manifest) => manifest !== null);
  }
}

export function referrerTags(digest: Digest): Tag[] {
  const stem = digest.replace(':', '-');
  return [stem, `${stem}.sig`, `${stem}.att`, `${stem}.sbom`].filter(isTag);
}
