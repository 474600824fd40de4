/**
 * The layout's files (OCI image-layout specification): `oci-layout`, `index.json`, `blobs/sha256/…`, and a
 * directory of our own for the lock and for content that is still being written.
 *
 * Whatever changes the layout does so inside `exclusively`. Readers need no lock: every file appears whole
 * under its name, by rename.
 */
import { access, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { lockFile } from '../../data-directory/file-lock.ts';
import { MAX_MANIFEST_BYTES } from '../manifest-references.ts';
import type { CallOptions, Digest } from '../registry.ts';
import { Collection } from './collection.ts';
import type { Draft } from './draft.ts';
import { syncDirectory } from './durable.ts';
import { isAbsent, isFull, LayoutError, timedOut } from './failure.ts';
import type { Index } from './index.ts';
import { IndexFile } from './index-file.ts';
import { type ImagesKnown, initialise } from './initialise.ts';
import { blobIn, type Paths, pathsIn } from './paths.ts';
import { Reachability } from './reachability.ts';
import { Reserve } from './reserve.ts';
import { Staging } from './staging.ts';
import { hasDigest } from './verify-content.ts';

const LOCK_WAIT_MS = 10_000;

export class ImageLayout {
  readonly staging: Staging;
  readonly reachability: Reachability;
  readonly collection: Collection;
  readonly #paths: Paths;
  readonly #reserve: Reserve;
  readonly #index: IndexFile;

  private constructor(paths: Paths, staging: Staging) {
    this.#paths = paths;
    this.staging = staging;
    this.#reserve = new Reserve(paths.reserve);
    this.#index = new IndexFile(paths.index);
    this.reachability = new Reachability((digest) => this.readManifest(digest));
    this.collection = new Collection(paths, this.reachability, staging, this.#reserve);
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
        await layout.collection.collectAll(await layout.readIndex());
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
  async write(
    index: Index,
    change: Draft,
    options: CallOptions,
    content: ReadonlyMap<Digest, string> = new Map(),
  ): Promise<void> {
    const text = index.textAfter(change);
    await this.#reserve.keepFor(text.length);
    await this.#place(index, change, await this.staging.writeText(text), options, content);
  }

  /** As `write`, for a change after which the index names less: a full disk does not stop it. */
  async shrink(index: Index, change: Draft, options: CallOptions): Promise<void> {
    const text = index.textAfter(change);
    const staged = await this.staging.writeText(text).catch(async (error: unknown) => {
      if (!isFull(error)) throw error;
      await this.#reserve.release();
      return await this.staging.writeText(text);
    });
    await this.#place(index, change, staged, options, new Map());
  }

  async #place(
    index: Index,
    change: Draft,
    staged: string,
    { mayWrite = () => true }: CallOptions,
    content: ReadonlyMap<Digest, string>,
  ): Promise<void> {
    try {
      if (!mayWrite()) {
        throw new LayoutError(timedOut('The time to write to the embedded registry ran out.'));
      }
      for (const [digest, path] of content) await rename(path, this.blobPath(digest));
      if (content.size > 0) await syncDirectory(this.#paths.blobs);
      await this.collection.note(change);
      await this.#index.replace(staged, index, change);
    } catch (error) {
      await rm(staged, { force: true });
      throw error;
    }
  }

  blobPath(digest: Digest): string {
    return blobIn(this.#paths, digest);
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
