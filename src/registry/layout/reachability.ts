import { parseReferences, type References } from '../manifest-references.ts';
import type { Descriptor, Digest } from '../registry.ts';

/** Everything that is needed by some manifests, those included. */
export interface Reached {
  readonly manifests: ReadonlyMap<Digest, Descriptor>;
  readonly blobs: ReadonlySet<Digest>;
  /** Those of the manifests that could not be read, so that more may be needed than is listed. */
  readonly unreadable: ReadonlySet<Digest>;
}

/** Follows references between manifests; what was read once is remembered, for a digest never changes. */
export class Reachability {
  readonly #read: (digest: Digest) => Promise<Uint8Array | undefined>;
  readonly #known = new Map<Digest, References>();

  constructor(read: (digest: Digest) => Promise<Uint8Array | undefined>) {
    this.#read = read;
  }

  /** What a manifest points at; undefined when it is absent or damaged. */
  async references(digest: Digest): Promise<References | undefined> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const bytes = await this.#read(digest);
    const references = bytes && parseReferences(bytes);
    if (references !== undefined) this.#known.set(digest, references);
    return references;
  }

  async from(roots: Iterable<Descriptor>): Promise<Reached> {
    const manifests = new Map<Digest, Descriptor>();
    const blobs = new Set<Digest>();
    const pending = [...roots];
    const unreadable = new Set<Digest>();
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (manifests.has(next.digest)) continue;
      manifests.set(next.digest, next);
      const references = await this.references(next.digest);
      if (references === undefined) unreadable.add(next.digest);
      for (const blob of references?.blobs ?? []) blobs.add(blob.digest);
      pending.push(...(references?.manifests ?? []));
    }
    return { manifests, blobs, unreadable };
  }

  /** Gives back the memory of manifests that are gone. */
  keepOnly(manifests: ReadonlyMap<Digest, Descriptor>): void {
    for (const digest of this.#known.keys()) {
      if (!manifests.has(digest)) this.#known.delete(digest);
    }
  }
}
