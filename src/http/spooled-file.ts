/** A file that a caller sends; it lies on disk from its arrival until the request is over. */
export class SpooledFile {
  // Private, so that no message or answer that describes a value tells a caller where it lies.
  #place: { readonly path: string; readonly size: number } | null = null;

  /** The file is at `path` from now on; `size` in bytes. */
  arrive(path: string, size: number): void {
    this.#place = { path, size };
  }

  /** @throws Error before the file has arrived */
  get path(): string {
    return this.#arrived().path;
  }

  /** Bytes; @throws Error before the file has arrived */
  get size(): number {
    return this.#arrived().size;
  }

  #arrived() {
    if (this.#place === null) throw new Error('a file is used before it was read');
    return this.#place;
  }
}
