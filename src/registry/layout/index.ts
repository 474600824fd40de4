/** What `index.json` says, kept in a form in which nothing depends on how many images there are. */
import type { Digest, Repository } from '../registry.ts';
import { isDigest } from '../registry.ts';
import type { Draft, Entries } from './draft.ts';
import {
  type Document,
  digestsOf,
  type Entry,
  isIn,
  isNowhere,
  placeOf,
} from './index-document.ts';
import { IndexText } from './index-text.ts';

export class Index implements Entries {
  /** The sha256 digests of entries that cannot be read otherwise: what they need is kept as well. */
  readonly foreignRoots: ReadonlySet<Digest>;
  /** Digests of algorithms that are not followed. */
  readonly unknownDigests: readonly string[];
  readonly #text: IndexText;
  readonly #byPlace: Map<string, Set<Entry>>;
  readonly #byDigest: Map<Digest, Set<Entry>>;

  constructor(document: Document) {
    const { manifests, foreign } = document;
    const digests = digestsOf(foreign);
    this.foreignRoots = new Set(digests.filter(isDigest));
    this.unknownDigests = digests.filter((digest) => !isDigest(digest));
    this.#text = new IndexText(document);
    this.#byPlace = grouped(manifests, placeOf);
    this.#byDigest = grouped(manifests, ({ digest }) => digest);
  }

  all(): Iterable<Entry> {
    return this.#text.entries();
  }

  isEmpty(): boolean {
    return this.#byDigest.size === 0;
  }

  in(repository: Repository): Entry[] {
    return [...(this.#byPlace.get(repository) ?? [])].filter((entry) => isIn(entry, repository));
  }

  nowhere(): Entry[] {
    return [...(this.#byPlace.get('') ?? [])].filter(isNowhere);
  }

  naming(digest: Digest): Entry[] {
    return [...(this.#byDigest.get(digest) ?? [])];
  }

  /** Whether any entry, of whatever form, names a digest. */
  isRoot(digest: Digest): boolean {
    return this.#byDigest.has(digest) || this.foreignRoots.has(digest);
  }

  /** The text of `index.json` after a change, in pieces. */
  textAfter(change: Draft): Buffer[] {
    return this.#text.after(change);
  }

  /** Makes a change that has been written. */
  apply(change: Draft): void {
    this.#text.apply(change);
    for (const entry of change.removed) {
      leave(this.#byPlace, placeOf(entry), entry);
      leave(this.#byDigest, entry.digest, entry);
    }
    for (const entry of change.added) {
      join(this.#byPlace, placeOf(entry), entry);
      join(this.#byDigest, entry.digest, entry);
    }
  }
}

function grouped<K>(entries: readonly Entry[], keyOf: (entry: Entry) => K): Map<K, Set<Entry>> {
  const groups = new Map<K, Set<Entry>>();
  for (const entry of entries) join(groups, keyOf(entry), entry);
  return groups;
}

function join<K>(groups: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, new Set([entry]));
  else group.add(entry);
}

function leave<K>(groups: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const group = groups.get(key);
  group?.delete(entry);
  if (group?.size === 0) groups.delete(key);
}
