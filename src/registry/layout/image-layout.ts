/**
 * The layout's files (OCI image-layout specification): `oci-layout`, `index.json`, `blobs/sha256/…`, and a
 * directory of our own for the lock and for content that is still being written.
 *
 * Whatever changes the layout does so by `change`. Readers need no lock: every file appears whole under its name, by
 * rename.
 */
import { access, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { lockFile } from '../../data-directory/file-lock.ts';
import { MAX_MANIFEST_BYTES } from '../manifest-references.ts';
import type { Digest } from '../registry.ts';
import { Collection } from './collection.ts';
import { isAbsent, LayoutError, timedOut } from './failure.ts';
import { type Change, GroupCommit } from './group-commit.ts';
import type { Index } from './index.ts';
import { IndexFile } from './index-file.ts';
import { IndexWriter } from './index-writer.ts';
import { type ImagesKnown, initialise } from './initialise.ts';
import { blobIn, type Paths, pathsIn } from './paths.ts';
import { Reachability } from './reachability.ts';
import { Reserve } from './reserve.ts';
import { Staging } from './staging.ts';
import { hasDigest } from './verify-content.ts';

/** As long as a purge may take (REGISTRY_DEADLINE_MS, when not set): a change holds the lock for milliseconds. */
const LOCK_WAIT_MS = 10_000;

export class ImageLayout {
  readonly staging: Staging;
  readonly reachability: Reachability;
  readonly collection: Collection;
  readonly #paths: Paths;
  readonly #index: IndexFile;
  readonly #changes: GroupCommit;

  private constructor(paths: Paths, staging: Staging) {
    this.#paths = paths;
    this.staging = staging;
    const index = new IndexFile(paths.index);
    this.#index = index;
    this.reachability = new Reachability((digest) => this.readManifest(digest));
    const reserve = new Reserve(paths.reserve);
    const collection = new Collection(paths, this.reachability, staging, reserve);
    this.collection = collection;
    const writer = new IndexWriter({ paths, staging, reserve, index, collection });
    this.#changes = new GroupCommit(
      (work, signal) => whileLocked(paths.lock, signal, work),
      (group) => writer.commit(group),
    );
  }

  /**
   * Opens the layout, makes it where there is none, and sweeps what dead processes left.
   * @throws ImagesLost where it would be a new one although images are known
   */
  static async open(directory: string, imagesKnown: ImagesKnown): Promise<ImageLayout> {
    const paths = pathsIn(directory);
    await mkdir(paths.blobs, { recursive: true });
    await mkdir(paths.staging, { recursive: true });
    const opened = await whileLocked(paths.lock, undefined, async () => {
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
    if (opened !== 'held') return opened;
    throw new LayoutError(timedOut('The embedded registry was busy for too long.'));
  }

  /** Makes a change, together with others that come while one is written. Throws as the disk or the plan does. */
  change<T>(change: Change<T>): Promise<T> {
    return this.#changes.run(change);
  }

  async readIndex(): Promise<Index> {
    return await this.#index.read();
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

async function whileLocked<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T | 'held'> {
  const lock = await lockFile(path, { wait: LOCK_WAIT_MS, signal });
  if (lock === 'held') return lock;
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
