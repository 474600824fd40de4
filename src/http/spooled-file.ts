/** A file that a caller sent, held on disk until the request is over. */
export class SpooledFile {
  // Private, so that no message or answer that describes a value tells a caller where it lies.
  readonly #path: string;
  /** Bytes. */
  readonly size: number;

  constructor(path: string, size: number) {
    this.#path = path;
    this.size = size;
  }

  get path(): string {
    return this.#path;
  }
}
