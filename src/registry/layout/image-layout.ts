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
import type { CallOptions, Digest } from '../registry.ts';
import { isDigest } from '../registry.ts';
import { renameDurably, syncDirectory } from './durable.ts';
import { isAbsent, isFull, LayoutError, timedOut } from './failure.ts';
import { foreignDigests, formatIndex, type Index } from './index-document.ts';
import { type ImagesKnown, initialise } from './initialise.ts';
import { Kept } from './kept.ts';
import { type Paths, pathsIn } from './paths.ts';
import { Reachability } from './reachability.ts';
import { readIndex } from './read-index.ts';
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

  private constructor(paths: Paths, staging: Staging) {
    this.#paths = paths;
    this.staging = staging;
    this.#reserve = new Reserve(paths.reserve);
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
        await layout.collect(await layout.readIndex());
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
    return await readIndex(this.#paths.index);
  }

  /**
   * Gives staged content its place, and the layout the index that names it; only inside `exclusively`. `mayWrite` is
   * asked last, and no leaves everything as it was.
   */
  async replaceIndex(
    index: Index,
    options: CallOptions,
    content: ReadonlyMap<Digest, string> = new Map(),
  ): Promise<void> {
    const text = formatIndex(index);
    await this.#reserve.keepFor(Buffer.byteLength(text));
    await this.#place(await this.staging.writeText(text), options, content);
  }

  /** As `replaceIndex`, for one that lets content go: a full disk does not stop it. */
  async shrinkIndex(index: Index, options: CallOptions): Promise<void> {
    const text = formatIndex(index);
    const staged = await this.staging.writeText(text).catch(async (error: unknown) => {
      if (!isFull(error)) throw error;
      await this.#reserve.release();
      return await this.staging.writeText(text);
    });
    await this.#place(staged, options, new Map());
  }

  async #place(
    index: string,
    { mayWrite = () => true }: CallOptions,
    content: ReadonlyMap<Digest, string>,
  ): Promise<void> {
    try {
      if (!mayWrite()) {
        throw new LayoutError(timedOut('The time to write to the embedded registry ran out.'));
      }
      for (const [digest, path] of content) await rename(path, this.blobPath(digest));
      if (content.size > 0) await syncDirectory(this.#paths.blobs);
      await renameDurably(index, this.#paths.index);
    } catch (error) {
      await rm(index, { force: true });
      throw error;
    }
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
   * Removes what the index does not reach; only inside `exclusively`, with the index as it is on disk.
   * What an unreadable manifest may need is kept.
   */
  async collect(index: Index): Promise<void> {
    await this.staging.sweep();
    await this.#removeUnreached(index);
    // Best effort: the next upload asks for it again, and fails where there is no room.
    const { size } = await stat(this.#paths.index);
    await this.#reserve.keepFor(size).catch(() => undefined);
  }

  async #removeUnreached(index: Index): Promise<void> {
    const foreign = foreignDigests(index);
    // Only their digest counts: what they need is kept as well.
    const followed = foreign.filter(isDigest).map((digest) => ({ mediaType: '', digest, size: 0 }));
    const reached = await this.reachability.from([...index.manifests, ...followed]);
    const { manifests, blobs, unreadable } = reached;
    this.reachability.keepOnly(manifests);
    const names = await readdir(this.#paths.blobs);
    const unknown = foreign.filter((digest) => !isDigest(digest));
    this.#kept.update(new Set([...unreadable, ...unknown]), names);
    for (const name of names) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest) || manifests.has(digest) || blobs.has(digest)) continue;
      if (!this.#kept.has(name)) await rm(this.blobPath(digest), { force: true });
    }
  }

  /** Proves that the layout can be read and written. */
  async probe(): Promise<void> {
    await this.readIndex();
    await access(this.#paths.blobs);
    await rm(await this.staging.writeText('probe'));
  }

  close(): Promise<void> {
    return this.staging.close();
  }
}

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
