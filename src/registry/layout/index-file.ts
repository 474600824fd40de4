import { type FileHandle, open, stat } from 'node:fs/promises';
import { damagedIndex, isAbsent } from './failure.ts';
import { type Index, parseIndex } from './index-document.ts';

interface Seen {
  readonly index: Index;
  readonly file: FileHandle;
  readonly version: string;
}

/**
 * `index.json` as it is on disk, read anew only where it has changed: it names every image there is. The file that was
 * read stays open, so that no other file can have its inode: the same number is the same file.
 */
export class IndexFile {
  readonly #path: string;
  #seen: Seen | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws LayoutError where the index is missing or damaged */
  async read(): Promise<Index> {
    try {
      const seen = this.#seen;
      if (seen?.version === versionOf(await stat(this.#path, { bigint: true }))) return seen.index;
      return await this.#see(async (file) => {
        const index = parseIndex(await file.readFile('utf8'));
        if (index === undefined) throw damagedIndex();
        return index;
      });
    } catch (error) {
      throw isAbsent(error) ? damagedIndex() : error;
    }
  }

  /** What is in its place now, as whoever put it there knows. */
  async replaced(index: Index): Promise<void> {
    await this.#see(async () => index);
  }

  async close(): Promise<void> {
    const seen = this.#seen;
    this.#seen = undefined;
    await seen?.file.close();
  }

  async #see(content: (file: FileHandle) => Promise<Index>): Promise<Index> {
    const file = await open(this.#path, 'r');
    try {
      // Before it is read: what is written into it meanwhile is seen the next time.
      const version = versionOf(await file.stat({ bigint: true }));
      const index = await content(file);
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
