import { performance } from 'node:perf_hooks';
import { referrerTags } from '../referrer-tags.ts';
import type { Digest, Repository, Tag } from '../registry.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import type { Manifest } from './manifest.ts';
import { getManifest, listReferrers, listTags } from './requests.ts';

const FORGET_AFTER_MS = 5 * 60_000;

/**
 * Remembers whether a registry has a referrers API. That it has none is forgotten after a few minutes: not every purge
 * asks again. That it has one is remembered for good: no other page at that address is taken for "there is none".
 */
export class ReferrersApi {
  #absentUntil = 0;
  #present = false;

  get known(): 'absent' | 'perhaps' | 'present' {
    if (this.#present) return 'present';
    return performance.now() < this.#absentUntil ? 'absent' : 'perhaps';
  }

  foundAbsent(): void {
    this.#absentUntil = performance.now() + FORGET_AFTER_MS;
  }

  foundPresent(): void {
    this.#present = true;
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
    const { known } = this.#api;
    if (known === 'absent') return [];
    const listed = await listReferrers(
      this.#client,
      this.#repository,
      digest,
      this.#deadline,
      known === 'present',
    );
    if (listed.kind === 'no_api') {
      if (listed.lasting) this.#api.foundAbsent();
      return [];
    }
    this.#api.foundPresent();
    return listed.digests;
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
