import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkDirectory } from '../../work-directory.ts';

/** Written at once: small files are gathered, so that ten thousand of them do not take as many writes. */
const BUFFER_BYTES = 256 * 1024;
/** Read at once, as streams of Node read files. */
const PIECE_BYTES = 64 * 1024;

/**
 * One file on disk that holds the contents of an image's files one after the other.
 *
 * It has no name: it is gone when it is closed, also where the process is killed.
 */
export class ContentsFile {
  readonly #handle: FileHandle;
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #buffered = 0;
  #written = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(): Promise<ContentsFile> {
    const directory = await makeWorkDirectory();
    try {
      return new ContentsFile(await open(join(directory, 'contents'), 'wx+', 0o600));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Bytes so far, which is where the next ones will start. */
  get length(): number {
    return this.#written + this.#buffered;
  }

  /** Adds a file's content; answers its SHA-256 in base64url. */
  async append(content: AsyncIterable<Uint8Array>): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of content) {
      hash.update(piece);
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + BUFFER_BYTES - this.#buffered);
        this.#buffer.set(part, this.#buffered);
        this.#buffered += part.length;
        at += part.length;
        if (this.#buffered === BUFFER_BYTES) await this.#flush();
      }
    }
    return hash.digest('base64url');
  }

  /** Makes readable all that was appended; nothing can be appended any more. */
  async seal(): Promise<void> {
    await this.#flush();
    this.#buffer = Buffer.alloc(0);
  }

  async #flush(): Promise<void> {
    for (let at = 0; at < this.#buffered; ) {
      const { bytesWritten } = await this.#handle.write(
        this.#buffer,
        at,
        this.#buffered - at,
        this.#written,
      );
      at += bytesWritten;
      this.#written += bytesWritten;
    }
    this.#buffered = 0;
  }

  /** The bytes of a part, in pieces. */
  async *read(offset: number, size: number): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at));
      const { bytesRead } = await this.#handle.read(piece, 0, piece.length, offset + at);
      if (bytesRead === 0) throw new Error('the contents file is shorter than its image');
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
