import { readdir, rm, stat } from 'node:fs/promises';
import type { Descriptor, Digest } from '../registry.ts';
import { isDigest } from '../registry.ts';
import type { Draft } from './draft.ts';
import type { Index } from './index.ts';
import { Kept } from './kept.ts';
import { blobIn, type Paths } from './paths.ts';
import type { Reachability } from './reachability.ts';
import type { Reserve } from './reserve.ts';
import type { Staging } from './staging.ts';

/** The removal of content that no entry of the index needs any more. */
export class Collection {
  readonly #paths: Paths;
  readonly #reachability: Reachability;
  readonly #staging: Staging;
  readonly #reserve: Reserve;
  readonly #kept = new Kept();
  /** What the entries that left the index needed; most of it is to be removed. */
  readonly #leftover = new Set<Digest>();
  /** The index all of whose manifests have been read, except those that were added to it since. */
  #followed: Index | undefined;
  readonly #joined = new Set<Descriptor>();
  #unreadable: readonly Descriptor[] = [];

  constructor(paths: Paths, reachability: Reachability, staging: Staging, reserve: Reserve) {
    this.#paths = paths;
    this.#reachability = reachability;
    this.#staging = staging;
    this.#reserve = reserve;
  }

  /** Takes note of a change that is about to be written; it does not matter if it is not. */
  async note({ removed, added }: Draft): Promise<void> {
    const { manifests, blobs } = await this.#reachability.from(removed);
    for (const digest of [...manifests.keys(), ...blobs]) this.#leftover.add(digest);
    for (const entry of added) this.#joined.add(entry);
  }

  /** Reads all that the index leads to and nobody has read yet; answers with what cannot be read. */
  async follow(index: Index): Promise<readonly Descriptor[]> {
    const joined = [...this.#joined];
    const unread = index === this.#followed ? joined : rootsOf(index);
    const { unreadable } = await this.#reachability.from([...this.#unreadable, ...unread]);
    for (const entry of joined) this.#joined.delete(entry);
    this.#followed = index;
    this.#unreadable = unreadable;
    return unreadable;
  }

  /**
   * Removes what the entries that left the index needed and nothing else does; only while nobody else changes the
   * layout, with the index as it is on disk. Other images are not looked at.
   */
  async collect(index: Index): Promise<void> {
    const unreadable = namesOf(await this.follow(index), index);
    if (this.#kept.isConcernedWith(unreadable)) return await this.collectAll(index);
    for (const digest of this.#leftover) {
      if (!this.#reachability.isNeeded(digest, (root) => index.isRoot(root))) {
        await rm(blobIn(this.#paths, digest), { force: true });
        this.#reachability.forget(digest);
      }
      this.#leftover.delete(digest);
    }
    await this.#tidy();
  }

  /**
   * Removes all that the index does not reach, what crashes have left included; only while nobody else changes the
   * layout, with the index as it is on disk. What an unreadable manifest may need is kept.
   */
  async collectAll(index: Index): Promise<void> {
    const { manifests, blobs, unreadable } = await this.#reachability.from(rootsOf(index));
    this.#reachability.keepOnly(manifests);
    this.#followed = index;
    this.#joined.clear();
    this.#unreadable = unreadable;
    const names = await readdir(this.#paths.blobs);
    this.#kept.update(namesOf(unreadable, index), names);
    for (const name of names) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest) || manifests.has(digest) || blobs.has(digest)) continue;
      if (!this.#kept.has(name)) await rm(blobIn(this.#paths, digest), { force: true });
    }
    this.#leftover.clear();
    await this.#tidy();
  }

  async #tidy(): Promise<void> {
    await this.#staging.sweep();
    // Best effort: the next upload asks for it again, and fails where there is no room.
    const { size } = await stat(this.#paths.index);
    await this.#reserve.keepFor(size).catch(() => undefined);
  }
}

/** Of what others wrote only the digest counts: what it needs is kept as well. */
const rootsOf = (index: Index): Descriptor[] => [
  ...index.all(),
  ...[...index.foreignRoots].map((digest) => ({ mediaType: '', digest, size: 0 })),
];

/** The digests of all that cannot be followed. */
const namesOf = (unreadable: readonly Descriptor[], { unknownDigests }: Index): Set<string> =>
  new Set([...unreadable.map(({ digest }) => digest), ...unknownDigests]);
