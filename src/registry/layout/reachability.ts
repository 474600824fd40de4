import { parseReferences, type References } from '../manifest-references.ts';
import type { Descriptor, Digest } from '../registry.ts';

/** Everything that is needed by some manifests, those included. */
export interface Reached {
  readonly manifests: ReadonlyMap<Digest, Descriptor>;
  readonly blobs: ReadonlySet<Digest>;
  /** Those of the manifests that could not be read, so that more may be needed than is listed. */
  readonly unreadable: readonly Descriptor[];
}

/**
 * Follows references between manifests, in both directions; what was read once is remembered, because a digest never
 * changes. So what one image needs is found without a look at the others.
 */
export class Reachability {
  readonly #read: (digest: Digest) => Promise<Uint8Array | undefined>;
  readonly #known = new Map<Digest, References>();
  /** Which of the known manifests name a content. */
  readonly #users = new Map<Digest, Set<Digest>>();

  constructor(read: (digest: Digest) => Promise<Uint8Array | undefined>) {
    this.#read = read;
  }

  /** What a manifest points at; undefined when it is absent or damaged. */
  async references(digest: Digest): Promise<References | undefined> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const bytes = await this.#read(digest);
    return bytes && this.learn(digest, bytes);
  }

  /** Remembers a manifest that the caller has read. */
  learn(digest: Digest, bytes: Uint8Array): References | undefined {
    const references = parseReferences(bytes);
    if (references === undefined || this.#known.has(digest)) return references;
    this.#known.set(digest, references);
    for (const named of namedBy(references)) {
      const users = this.#users.get(named);
      if (users === undefined) this.#users.set(named, new Set([digest]));
      else users.add(digest);
    }
    return references;
  }

  async from(roots: Iterable<Descriptor>): Promise<Reached> {
    const manifests = new Map<Digest, Descriptor>();
    const blobs = new Set<Digest>();
    const pending = [...roots];
    const unreadable: Descriptor[] = [];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (manifests.has(next.digest)) continue;
      manifests.set(next.digest, next);
      const references = await this.references(next.digest);
      if (references === undefined) unreadable.push(next);
      for (const blob of references ? blobsOf(references) : []) blobs.add(blob.digest);
      pending.push(...(references?.manifests ?? []));
    }
    return { manifests, blobs, unreadable };
  }

  /** Whether a content is a root, or one leads to it; all that the roots lead to must be known. */
  isNeeded(digest: Digest, isRoot: (digest: Digest) => boolean): boolean {
    // Ends: a manifest cannot name what was made of its own digest.
    if (isRoot(digest)) return true;
    for (const user of this.#users.get(digest) ?? []) if (this.isNeeded(user, isRoot)) return true;
    return false;
  }

  /** Gives back the memory of a manifest that is gone. */
  forget(digest: Digest): void {
    const references = this.#known.get(digest);
    if (references === undefined) return;
    this.#known.delete(digest);
    for (const named of namedBy(references)) {
      const users = this.#users.get(named);
      users?.delete(digest);
      if (users?.size === 0) this.#users.delete(named);
    }
  }

  /** Gives back the memory of all manifests but these. */
  keepOnly(manifests: ReadonlyMap<Digest, Descriptor>): void {
    for (const digest of this.#known.keys()) if (!manifests.has(digest)) this.forget(digest);
  }
}

function* namedBy(references: References): Generator<Digest> {
  for (const { digest } of blobsOf(references)) yield digest;
  for (const { digest } of references.manifests) yield digest;
}

/** With those that the layout need not have: where another tool has stored one, it stays. */
const blobsOf = ({ blobs, elsewhere }: References) => [...blobs, ...elsewhere];
