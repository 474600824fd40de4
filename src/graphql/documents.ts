/** Parsed documents of earlier requests; bounded by the memory that all of them take. */
import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/** Of all documents together: hundreds of ordinary ones, and little beside what a process takes anyway. */
const LARGEST_BYTES = 16 * 1024 ** 2;
/** A document that holds next to nothing, and what is kept beside it: what was found wrong with it, its measure. */
const BYTES_OF_A_DOCUMENT = 8 * 1024;
/** Of the token itself, of the nodes that begin with it and of what runs them: measured 300 to 500, and room. */
const BYTES_OF_A_TOKEN = 1024;

export class Documents {
  readonly #byText = new LRUCache<string, DocumentNode>({
    maxSize: LARGEST_BYTES,
    sizeCalculation: (document, text) =>
      BYTES_OF_A_DOCUMENT + 2 * text.length + tokensOf(document) * BYTES_OF_A_TOKEN,
  });

  find(text: string): DocumentNode | undefined {
    return this.#byText.get(text);
  }

  /** Where Yoga keeps what it has parsed, and beside each document what it has found wrong with it. */
  readonly cache = {
    documentCache: this.#byText,
    // A text that is no GraphQL is read again: that costs less than to keep it.
    errorCache: { get: () => undefined, set: () => undefined },
  };
}

/** How many tokens a parsed document has; 0 where it was parsed without its places. */
export function tokensOf({ loc }: DocumentNode): number {
  let count = 0;
  for (let token = loc?.startToken ?? null; token !== null; token = token.next) count += 1;
  return count;
}
