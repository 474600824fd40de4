import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * One file that the contents of an archive are appended to.
 *
 * One file and not one per entry: no name of a hostile archive ever becomes a name on our disk,
 * and 10,000 small entries cost no 10,000 opens.
 */
export class Spool {
  readonly path: string;
  readonly #handle: FileHandle;
  #length = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async create(workDirectory: string): Promise<Spool> {
    const path = join(workDirectory, 'contents');
    return new Spool(path, await open(path, 'wx+', 0o600));
  }

  /** Bytes so far, which is where the next ones will start. */
  get length(): number {
    return this.#length;
  }

  async append(content: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of content) {
      await this.#handle.appendFile(piece);
      this.#length += piece.length;
    }
  }

  async read(offset: number, size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    await this.#handle.read(bytes, 0, size, offset);
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
