import type { Digest, Repository } from '../registry.ts';
import { type Entry, isIn, isNowhere } from './index-document.ts';

/** The entries of an index, to be looked up. */
export interface Entries {
  in(repository: Repository): readonly Entry[];
  /** Those that say nothing of where they belong, as oras attaches them. */
  nowhere(): readonly Entry[];
  naming(digest: Digest): readonly Entry[];
}

/** An index as a change leaves it; the index itself stays as it is. */
export class Draft implements Entries {
  readonly removed = new Set<Entry>();
  readonly added = new Set<Entry>();
  readonly #before: Entries;

  constructor(before: Entries) {
    this.#before = before;
  }

  isEmpty(): boolean {
    return this.removed.size === 0 && this.added.size === 0;
  }

  remove(entry: Entry): void {
    if (!this.added.delete(entry)) this.removed.add(entry);
  }

  add(entry: Entry): void {
    this.added.add(entry);
  }

  /** Makes the change of a draft of this one. */
  take({ removed, added }: Draft): void {
    for (const entry of removed) this.remove(entry);
    for (const entry of added) this.add(entry);
  }

  in(repository: Repository): Entry[] {
    return this.#after(this.#before.in(repository), (entry) => isIn(entry, repository));
  }

  nowhere(): Entry[] {
    return this.#after(this.#before.nowhere(), isNowhere);
  }

  naming(digest: Digest): Entry[] {
    return this.#after(this.#before.naming(digest), (entry) => entry.digest === digest);
  }

  #after(before: readonly Entry[], belongs: (entry: Entry) => boolean): Entry[] {
    return [
      ...before.filter((entry) => !this.removed.has(entry)),
      ...[...this.added].filter(belongs),
    ];
  }
}
