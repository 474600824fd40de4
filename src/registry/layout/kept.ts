/**
 * What unreadable manifests may need. An image is stored whole, so it can only need what was there when it was found
 * unreadable: that is kept until none is unreadable any more, and what came later is collected as usual.
 */
export class Kept {
  #unreadable: ReadonlySet<string> = new Set();
  readonly #names = new Set<string>();

  /** `unreadable` are the digests of such manifests, `names` all content that is there now. */
  update(unreadable: ReadonlySet<string>, names: readonly string[]): void {
    if (unreadable.size === 0) this.#names.clear();
    const isFound = [...unreadable].some((digest) => !this.#unreadable.has(digest));
    if (isFound) for (const name of names) this.#names.add(name);
    this.#unreadable = unreadable;
  }

  /** Whether anything is, or was until now, unreadable: then all content has to be gone through. */
  isConcernedWith(unreadable: ReadonlySet<string>): boolean {
    return unreadable.size > 0 || this.#unreadable.size > 0;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }
}
