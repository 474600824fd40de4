/**
 * The layout's files (OCI image-layout specification): `oci-layout`, `index.json`, `blobs/sha256/…`, and a
 * directory of our own for the lock and for content that is still being written.
 *
 * Whatever changes the layout does so inside `exclusively`. Readers need no lock: every file appears whole
 * under its name, by rename.
 */
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { lockFile } from '../../data-directory/file-lock.ts';
import { MAX_MANIFEST_BYTES } from '../manifest-references.ts';
import type { CallOptions, Descriptor, Digest } from '../registry.ts';
import { isDigest } from '../registry.ts';
import { renameDurably, syncDirectory } from './durable.ts';
import { isAbsent, isFull, LayoutError, timedOut } from './failure.ts';
import { foreignDigests, formatIndex, type Index } from './index-document.ts';
import { IndexFile } from './index-file.ts';
import { type ImagesKnown, initialise } from './initialise.ts';
import { Kept } from './kept.ts';
import { type Paths, pathsIn } from './paths.ts';
import { Reachability } from './reachability.ts';
import { Reserve } from './reserve.ts';
import { Staging } from './staging.ts';
import { hasDigest } from './verify-content.ts';

const LOCK_WAIT_MS = 10_000;

export class ImageLayout {
  readonly staging: Staging;
  readonly reachability: Reachability;
  readonly #paths: Paths;
  readonly #reserve: Reserve;
  readonly #kept = new Kept();
  readonly #index: IndexFile;
  /** What the entries that left the index needed; most of it is to be removed. */
  readonly #leftover = new Set<Digest>();

  private constructor(paths: Paths, staging: Staging) {
    this.#paths = paths;
    this.staging = staging;
    this.#reserve = new Reserve(paths.reserve);
    this.#index = new IndexFile(paths.index);
    this.reachability = new Reachability((digest) => this.readManifest(digest));
  }

  /**
   * Opens the layout, makes it where there is none, and sweeps what dead processes left.
   * @throws ImagesLost where it would be a new one although images are known
   */
  static async open(directory: string, imagesKnown: ImagesKnown): Promise<ImageLayout> {
    const paths = pathsIn(directory);
    await mkdir(paths.blobs, { recursive: true });
    await mkdir(paths.staging, { recursive: true });
    return await withLock(paths.lock, undefined, async () => {
      const staging = await Staging.open(paths.staging);
      try {
        await initialise(paths, staging, imagesKnown);
        const layout = new ImageLayout(paths, staging);
        await layout.collectAll(await layout.readIndex());
        return layout;
      } catch (error) {
        await staging.close();
        throw error;
      }
    });
  }

  /** Runs `work` while no other process and no other call changes the layout. */
  exclusively<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return withLock(this.#paths.lock, signal, work);
  }

  async readIndex(): Promise<Index> {
    return await this.#index.read();
  }

  /**
   * Gives staged content its place, and the layout the index that names it; only inside `exclusively`. `mayWrite` is
   * asked last; a no leaves everything as it was.
   */
  async replaceIndex(
    index: Index,
    options: CallOptions,
    content: ReadonlyMap<Digest, string> = new Map(),
  ): Promise<void> {
    const text = formatIndex(index);
    await this.#reserve.keepFor(Buffer.byteLength(text));
    await this.#place(index, await this.staging.writeText(text), options, content);
  }

  /** As `replaceIndex`, for an index that names less: a full disk does not stop it. */
  async shrinkIndex(index: Index, options: CallOptions): Promise<void> {
    const text = formatIndex(index);
    const staged = await this.staging.writeText(text).catch(async (error: unknown) => {
      if (!isFull(error)) throw error;
      await this.#reserve.release();
      return await this.staging.writeText(text);
    });
    await this.#place(index, staged, options, new Map());
  }

  async #place(
    index: Index,
    staged: string,
    { mayWrite = () => true }: CallOptions,
    content: ReadonlyMap<Digest, string>,
  ): Promise<void> {
    const before = await this.readIndex();
    try {
      if (!mayWrite()) {
        throw new LayoutError(timedOut('The time to write to the embedded registry ran out.'));
      }
      for (const [digest, path] of content) await rename(path, this.blobPath(digest));
      if (content.size > 0) await syncDirectory(this.#paths.blobs);
      await renameDurably(staged, this.#paths.index);
    } catch (error) {
      await rm(staged, { force: true });
      throw error;
    }
    // Best effort: otherwise the next reader reads all of it.
    await this.#index.replaced(index).catch(() => undefined);
    const left = new Set(index.manifests);
    const removed = before.manifests.filter((entry) => !left.has(entry));
    const { manifests, blobs } = await this.reachability.from(removed);
    for (const digest of [...manifests.keys(), ...blobs]) this.#leftover.add(digest);
  }

  blobPath(digest: Digest): string {
    return join(this.#paths.blobs, hexOf(digest));
  }

  /** A manifest's bytes; undefined when it is absent, too large or not what its digest says. */
  async readManifest(digest: Digest): Promise<Uint8Array | undefined> {
    try {
      const path = this.blobPath(digest);
      if ((await stat(path)).size > MAX_MANIFEST_BYTES) return undefined;
      const bytes = await readFile(path);
      return hasDigest(bytes, digest) ? bytes : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async openBlob(digest: Digest): Promise<Readable | undefined> {
    try {
      return (await open(this.blobPath(digest), 'r')).createReadStream();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /**
   * Removes what entries that went out of the index needed and nothing else does; only inside `exclusively`, with the
   * index as it is on disk. Other images are not looked at.
   */
  async collect(index: Index): Promise<void> {
    const roots = rootsOf(index);
    const unreadable = await this.reachability.readNew(roots);
    if (this.#kept.isConcernedWith(new Set([...unreadable, ...unknownDigests(index)]))) {
      return await this.collectAll(index);
    }
    const needed = new Set(roots.map(({ digest }) => digest));
    for (const digest of this.#leftover) {
      if (!this.reachability.isNeeded(digest, needed)) {
        await rm(this.blobPath(digest), { force: true });
        this.reachability.forget(digest);
      }
      this.#leftover.delete(digest);
    }
    await this.#tidy();
  }

  /**
   * Removes all that the index does not reach, what crashes have left included; only inside `exclusively`, with the
   * index as it is on disk. What an unreadable manifest may need is kept.
   */
  async collectAll(index: Index): Promise<void> {
    const reached = await this.reachability.from(rootsOf(index));
    const { manifests, blobs, unreadable } = reached;
    this.reachability.keepOnly(manifests);
    const names = await readdir(this.#paths.blobs);
    this.#kept.update(new Set([...unreadable, ...unknownDigests(index)]), names);
    for (const name of names) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest) || manifests.has(digest) || blobs.has(digest)) continue;
      if (!this.#kept.has(name)) await rm(this.blobPath(digest), { force: true });
    }
    this.#leftover.clear();
    await this.#tidy();
  }

  async #tidy(): Promise<void> {
    await this.staging.sweep();
    // Best effort: the next upload asks for it again, and fails where there is no room.
    const { size } = await stat(this.#paths.index);
    await this.#reserve.keepFor(size).catch(() => undefined);
  }

  /** Proves that the layout can be read and written. */
  async probe(): Promise<void> {
    await this.readIndex();
    await access(this.#paths.blobs);
    await rm(await this.staging.writeText('probe'));
  }

  async close(): Promise<void> {
    await this.#index.close();
    await this.staging.close();
  }
}

/** Of what others wrote only the digest counts: what it needs is kept as well. */
const rootsOf = (index: Index): Descriptor[] => [
  ...index.manifests,
  ...foreignDigests(index)
    .filter(isDigest)
    .map((digest) => ({ mediaType: '', digest, size: 0 })),
];

/** Of algorithms that are not followed. */
const unknownDigests = (index: Index): string[] =>
  foreignDigests(index).filter((digest) => !isDigest(digest));

const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

async function withLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const lock = await lockFile(path, { wait: LOCK_WAIT_MS, signal });
  if (lock === 'held') {
    throw new LayoutError(timedOut('The embedded registry was busy for too long.'));
  }
  try {
    signal?.throwIfAborted();
    return await work();
  } finally {
    await lock.release();
  }
}
