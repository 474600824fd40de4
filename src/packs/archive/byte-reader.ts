import { ArchiveRefused } from './archive-refused.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

/** Pulls bytes out of a stream on demand, holding one chunk at most beyond what was asked for. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #mostBytes: number;
  #rest = NOTHING;
  #received = 0;

  /** `mostBytes`: how long the stream may be before it is refused; a compressed stream can expand 1000 times. */
  constructor(chunks: AsyncIterable<Uint8Array>, mostBytes: number) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#mostBytes = mostBytes;
  }

  /** Bytes taken from the stream so far. */
  get received(): number {
    return this.#received;
  }

  /** Between 1 and `most` bytes, or null at the end of the stream. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return null;
      this.#rest = next.value;
      this.#received += next.value.length;
      if (this.#received > this.#mostBytes) {
        throw new ArchiveRefused('archive', `unpacks to more than ${this.#mostBytes} bytes`);
      }
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(most);
    return taken;
  }

  /** Exactly `count` bytes, or null when the stream ended before the first or in between. */
  async exactly(count: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const piece = await this.some(count - filled);
      if (piece === null) return null;
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }
}
