/**
 * Where content is written before it gets its real name.
 *
 * Each open registry has a directory of its own there, locked as long as its process lives: where another one can
 * lock it, that process is dead, and what it left may be removed, however young it is.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type FileLock, lockFile, pidFile } from '../../data-directory/file-lock.ts';
import type { Blob, Descriptor } from '../registry.ts';
import { LayoutError, passing } from './failure.ts';
import { verifyContent } from './verify-content.ts';

const LOCK = '.lock';

export class Staging {
  readonly #root: string;
  readonly #name: string;
  readonly #lock: FileLock;

  private constructor(root: string, name: string, lock: FileLock) {
    this.#root = root;
    this.#name = name;
    this.#lock = lock;
  }

  /** Call it under the layout's lock: between making and locking, a sweep would take it for abandoned. */
  static async open(root: string): Promise<Staging> {
    const name = randomUUID();
    await mkdir(join(root, name), { recursive: true });
    const lock = await lockFile(join(root, name + LOCK), { wait: 0 });
    if (lock === 'held') throw new Error('a new staging directory is locked by somebody else');
    return new Staging(root, name, lock);
  }

  /** Writes a blob, synced to disk and verified on the way, and answers with where it is. */
  async write(blob: Blob, signal: AbortSignal | undefined): Promise<string> {
    const path = this.#newPath();
    // The first of the two to fail: the pipeline then ends the other one with the same error.
    let failed: 'source' | 'target' | undefined;
    try {
      const source = blob.open().once('error', () => {
        failed ??= 'source';
      });
      const target = createWriteStream(path, { flags: 'wx', flush: true }).once('error', () => {
        failed ??= 'target';
      });
      await pipeline(source, verifyContent(blob.descriptor), target, { ...(signal && { signal }) });
      return path;
    } catch (error) {
      await rm(path, { force: true });
      if (failed !== 'source' || error instanceof LayoutError || signal?.aborted) throw error;
      const failure = passing('The content to be pushed could not be read to its end.');
      throw new LayoutError(failure, { cause: error });
    }
  }

  /** A second name for stored content, which keeps it even if the first one is collected meanwhile. */
  async pin(stored: string, descriptor: Descriptor): Promise<string | undefined> {
    const path = this.#newPath();
    try {
      await link(stored, path);
    } catch {
      // Absent, or a file system without hard links: writing the content says what is really wrong, if anything.
      return undefined;
    }
    if ((await stat(path)).size === descriptor.size) return path;
    await rm(path);
    return undefined;
  }

  async writeText(text: string): Promise<string> {
    return await this.writePieces([Buffer.from(text)]);
  }

  /** Writes a file, synced to disk, by one call however many pieces it is in. */
  async writePieces(pieces: readonly Buffer[]): Promise<string> {
    const path = this.#newPath();
    try {
      const file = await open(path, 'wx');
      try {
        const { bytesWritten } = await file.writev(pieces);
        // Less than all where the disk refuses: another write learns why.
        if (bytesWritten < lengthOf(pieces))
          await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten));
        await file.sync();
      } finally {
        await file.close();
      }
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Removes what dead processes left. Call it under the layout's lock. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#root);
    const owners = new Set(names.map((name) => name.replace(/\.lock(\.pid)?$/, '')));
    owners.delete(this.#name);
    for (const name of owners) {
      const lock = await lockFile(join(this.#root, name + LOCK), { wait: 0 });
      if (lock === 'held') continue;
      await removeStaging(this.#root, name, lock);
    }
  }

  async close(): Promise<void> {
    await removeStaging(this.#root, this.#name, this.#lock);
  }

  #newPath(): string {
    return join(this.#root, this.#name, randomUUID());
  }
}

export const lengthOf = (pieces: readonly Buffer[]): number =>
  pieces.reduce((length, piece) => length + piece.length, 0);

async function removeStaging(root: string, name: string, lock: FileLock): Promise<void> {
  try {
    await rm(join(root, name), { recursive: true, force: true });
    await rm(pidFile(join(root, name + LOCK)), { force: true });
    await rm(join(root, name + LOCK), { force: true });
  } finally {
    await lock.release();
  }
}
