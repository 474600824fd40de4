import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Draft } from './draft.ts';
import { syncDirectory } from './durable.ts';
import { damagedIndex, isAbsent } from './failure.ts';
import type { Index } from './index.ts';
import { indexOf } from './read-index.ts';

interface Seen {
  readonly index: Index;
  readonly file: FileHandle;
  readonly version: string;
}

/**
 * `index.json` as it is on disk, read anew only where somebody else has changed it: it names every image there is. The
 * file that was seen stays open, so that no other file can have its inode: the same number is the same file.
 */
export class IndexFile {
  readonly #path: string;
  #seen: Seen | undefined;
  /** What is about to take its place: a reader that finds it there already need not parse it. */
  #coming: (Seen & { readonly change: Draft }) | undefined;
  /** What it has taken the place of. */
  #former: FileHandle | undefined;

  /** A read of this version, or of a newer one, which is shared by all who ask for it meanwhile. */
  #reading: { readonly version: string; readonly index: Promise<Index> } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws LayoutError where the index is missing or damaged */
  async read(): Promise<Index> {
    try {
      const version = versionOf(await stat(this.#path, { bigint: true }));
      const known = this.#known(version);
      if (known !== undefined) return known;
      if (this.#reading?.version !== version) {
        const index = this.#see().finally(() => {
          if (this.#reading?.index === index) this.#reading = undefined;
        });
        this.#reading = { version, index };
      }
      return await this.#reading.index;
    } catch (error) {
      throw isAbsent(error) ? damagedIndex() : error;
    }
  }

  /**
   * Puts a synced file in its place: `index` after `change`. As soon as it is there, `index` includes the change, even
   * where this call fails later.
   */
  async replace(staged: string, index: Index, change: Draft): Promise<void> {
    const file = await open(staged, 'r');
    try {
      const version = versionOf(await file.stat({ bigint: true }));
      this.#coming = { index, file, version, change };
      await rename(staged, this.#path);
      this.#arrive();
      await syncDirectory(dirname(this.#path));
    } finally {
      this.#coming = undefined;
      // Not waited for, and not before: it frees the space of the former file, and a sync beside it would wait for that.
      void this.#former?.close().catch(() => undefined);
      this.#former = undefined;
      if (this.#seen?.file !== file) await file.close();
    }
  }

  async close(): Promise<void> {
    const seen = this.#seen;
    this.#seen = undefined;
    await seen?.file.close();
  }

  #known(version: string): Index | undefined {
    if (this.#coming?.version === version) this.#arrive();
    return this.#seen?.version === version ? this.#seen.index : undefined;
  }

  #arrive(): void {
    const coming = this.#coming;
    if (coming === undefined) return;
    this.#former = this.#seen?.file;
    this.#coming = undefined;
    this.#seen = coming;
    coming.index.apply(coming.change);
  }

  async #see(): Promise<Index> {
    const file = await open(this.#path, 'r');
    try {
      // Before it is read: what is written into it meanwhile is seen the next time.
      const version = versionOf(await file.stat({ bigint: true }));
      const known = this.#known(version);
      if (known !== undefined) {
        await file.close();
        return known;
      }
      const index = indexOf(await file.readFile('utf8'));
      await this.close();
      this.#seen = { index, file, version };
      return index;
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}

const versionOf = (stats: {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}): string => [stats.dev, stats.ino, stats.size, stats.mtimeNs].join();
