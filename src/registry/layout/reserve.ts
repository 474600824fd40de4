/**
 * A file whose space the layout gives up when the disk is full: an index without what was purged must be written
 * before anything can be freed. Without it no deletion could ever make room.
 */
import { randomBytes } from 'node:crypto';
import { appendFile, rm, stat } from 'node:fs/promises';
import { isAbsent } from './failure.ts';

/** It grows in steps, so that not every new entry of the index writes it. */
const UNIT = 16 * 1024;

export class Reserve {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Makes it large enough for an index of so many bytes, and for the few entries that a purge may add. */
  async keepFor(indexBytes: number): Promise<void> {
    const lacking = (Math.ceil(indexBytes / UNIT) + 1) * UNIT - (await this.#size());
    // Random, because zeros take no space on a disk that compresses.
    if (lacking > 0) await appendFile(this.#path, randomBytes(lacking), { flush: true });
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #size(): Promise<number> {
    try {
      return (await stat(this.#path)).size;
    } catch (error) {
      if (isAbsent(error)) return 0;
      throw error;
    }
  }
}
