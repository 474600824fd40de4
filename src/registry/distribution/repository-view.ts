import { referrerTags } from '../referrer-tags.ts';
import type { Digest, Repository, Tag } from '../registry.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import type { Manifest } from './manifest.ts';
import type { Peculiarities } from './peculiarities.ts';
import type { FirstReads } from './read-ahead.ts';
import { getManifest, listReferrers, listTags } from './requests.ts';

/** What a purge looks at in a manifest; its bytes are not kept, because there may be thousands. */
export type SeenManifest = Pick<Manifest, 'digest' | 'children' | 'subject'>;

interface SeenTags {
  readonly byTag: ReadonlyMap<Tag, SeenManifest | null>;
  readonly byDigest: ReadonlyMap<Digest, SeenManifest>;
}

/** What the purge of a subject sees of its repository: each thing is read once, when first asked for. */
export class RepositoryView {
  readonly #client: Client;
  readonly #peculiarities: Peculiarities;
  readonly #repository: Repository;
  readonly #subject: Digest;
  readonly #deadline: Deadline;
  readonly #ahead: FirstReads | undefined;
  readonly #manifests = new Map<string, Promise<SeenManifest | null>>();
  #tags: Promise<SeenTags | null> | undefined;

  constructor(
    client: Client,
    peculiarities: Peculiarities,
    { repository, subject }: { readonly repository: Repository; readonly subject: Digest },
    deadline: Deadline,
    ahead?: FirstReads,
  ) {
    this.#client = client;
    this.#peculiarities = peculiarities;
    this.#repository = repository;
    this.#subject = subject;
    this.#deadline = deadline;
    this.#ahead = ahead;
  }

  /** By digest: what a tag has led to already is not asked for again. */
  async manifest(digest: Digest): Promise<SeenManifest | null> {
    const tags = await this.#seenTags();
    return tags?.byDigest.get(digest) ?? this.#read(digest);
  }

  /** Every tag with what it pulls: null for one that pulls nothing. Null where the registry cannot list its tags. */
  async tagged(): Promise<ReadonlyMap<Tag, SeenManifest | null> | null> {
    return (await this.#seenTags())?.byTag ?? null;
  }

  /** What the referrers API lists; the list is the registry's own reading of each `subject` field. */
  async listedReferrers(digest: Digest): Promise<readonly Digest[]> {
    const known = this.#peculiarities.referrersApi;
    if (known === 'absent') return [];
    const listed = await this.#first(this.#ahead?.referrersOf(digest), () =>
      listReferrers(this.#client, this.#repository, digest, this.#deadline, known === 'present'),
    );
    switch (listed.kind) {
      case 'no_api':
        if (listed.lasting) this.#peculiarities.foundNoReferrersApi();
        return [];
      case 'unknown_manifest':
        return [];
      case 'listed':
        this.#peculiarities.foundReferrersApi();
        return listed.digests;
    }
  }

  /**
   * The manifests behind the tags that name this one: the index of the referrers tag schema
   * (OCI Distribution 1.1, "Referrers Tag Schema") and cosign's `.sig`, `.att` and `.sbom`.
   */
  async taggedReferrers(digest: Digest): Promise<SeenManifest[]> {
    const names = referrerTags(digest);
    const tagged = await this.tagged();
    const manifests =
      tagged === null
        ? await Promise.all(names.map((tag) => this.#read(tag)))
        : names.map((tag) => tagged.get(tag) ?? null);
    return manifests.filter((manifest) => manifest !== null);
  }

  #seenTags(): Promise<SeenTags | null> {
    this.#tags ??= this.#readTags();
    return this.#tags;
  }

  async #readTags(): Promise<SeenTags | null> {
    const witness = this.#peculiarities.listsTags ? null : this.#subject;
    const tags = await this.#first(this.#ahead?.tags, () =>
      listTags(this.#client, this.#repository, this.#deadline, witness),
    );
    if (tags === null) return null;
    this.#peculiarities.foundTagList();
    const read = await Promise.all(tags.map(async (tag) => [tag, await this.#read(tag)] as const));
    const found = read.flatMap(([, manifest]) => (manifest === null ? [] : [manifest]));
    return {
      byTag: new Map(read),
      byDigest: new Map(found.map((manifest) => [manifest.digest, manifest])),
    };
  }

  #read(reference: Digest | Tag): Promise<SeenManifest | null> {
    let found = this.#manifests.get(reference);
    if (!found) {
      found = this.#get(reference);
      this.#manifests.set(reference, found);
    }
    return found;
  }

  async #get(reference: Digest | Tag): Promise<SeenManifest | null> {
    const manifest = await this.#first(this.#ahead?.byTag.get(reference), () =>
      getManifest(this.#client, this.#repository, reference, this.#deadline, {
        actions: 'pull,delete',
      }),
    );
    if (manifest === null) return null;
    const { digest, children, subject } = manifest;
    return { digest, children, subject };
  }

  /** What was read ahead; where it failed, what is read now. */
  async #first<Answer>(
    ahead: Promise<Answer> | undefined,
    read: () => Promise<Answer>,
  ): Promise<Answer> {
    if (ahead === undefined) return read();
    try {
      return await this.#deadline.race(ahead);
    } catch {
      this.#deadline.check();
      return read();
    }
  }
}
