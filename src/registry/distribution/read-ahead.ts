import type { Digest, ReadAhead, Repository, Tag } from '../registry.ts';
import type { Client } from './client.ts';
import { Deadline } from './deadline.ts';
import type { Manifest } from './manifest.ts';
import type { Peculiarities } from './peculiarities.ts';
import { getManifest, listReferrers, listTags, type Referrers } from './requests.ts';

/**
 * The first reads of a purge, under way before it may begin. Each may fail or be cut off without harm: where it is
 * needed it is read again. It must be disposed.
 */
export class FirstReads implements ReadAhead {
  readonly tags: Promise<Tag[] | null>;
  readonly referrers: Promise<Referrers> | undefined;
  /** What the tag is on that the image was uploaded under. */
  readonly byTag: ReadonlyMap<string, Promise<Manifest | null>>;
  readonly #repository: Repository;
  readonly #digest: Digest;
  readonly #deadline: Deadline;
  readonly #tooOldAt: number;

  constructor(
    client: Client,
    peculiarities: Peculiarities,
    { repository, digest, tag, deadlineMs }: FirstQuestions,
  ) {
    this.#repository = repository;
    this.#digest = digest;
    this.#tooOldAt = performance.now() + deadlineMs;
    const deadline = new Deadline(deadlineMs);
    this.#deadline = deadline;
    const { listsTags, referrersApi } = peculiarities;
    this.tags = listTags(client, repository, deadline, listsTags ? null : digest);
    this.referrers =
      referrersApi === 'absent'
        ? undefined
        : listReferrers(client, repository, digest, deadline, referrersApi === 'present');
    const tagged = getManifest(client, repository, tag, deadline, { actions: 'pull,delete' });
    this.byTag = new Map([[tag, tagged]]);
    // A failure reaches the code that awaits the read; where none does, it does not matter.
    for (const read of [this.tags, this.referrers, tagged]) read?.catch(() => undefined);
  }

  /** Whether they are of this image, and no older than those that a purge acts on at its end. */
  isOf(repository: Repository, digest: Digest): boolean {
    const isYoung = performance.now() < this.#tooOldAt;
    return isYoung && repository === this.#repository && digest === this.#digest;
  }

  referrersOf(digest: Digest): Promise<Referrers> | undefined {
    return digest === this.#digest ? this.referrers : undefined;
  }

  [Symbol.dispose](): void {
    this.#deadline.end();
  }
}

interface FirstQuestions {
  readonly repository: Repository;
  readonly digest: Digest;
  readonly tag: Tag;
  readonly deadlineMs: number;
}
