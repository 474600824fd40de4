/** A file that a caller sent, held on disk until the request is over. */
export class SpooledFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;

  constructor(path: string, size: number) {
    this.path = path;
    this.size = size;
  }
}
