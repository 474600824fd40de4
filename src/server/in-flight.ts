import type { ServerResponse } from 'node:http';

interface Entry {
  readonly outgoing: ServerResponse;
  readonly answer: Promise<unknown>;
}

/**
 * The requests that are being answered.
 *
 * In an array whose places are used again, not in a Map or Set: these leave a table behind whenever enough has come and
 * gone, each table points to the next, and so V8's young generation took whole requests for alive (bench/README.md).
 */
export class InFlight {
  readonly #places: (Entry | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.length - this.#free.length;
  }

  /** Until `answer` is settled. */
  add(outgoing: ServerResponse, answer: Promise<unknown>): void {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = { outgoing, answer };
    const done = () => {
      this.#places[place] = undefined;
      this.#free.push(place);
    };
    answer.then(done, done);
  }

  entries(): Entry[] {
    return this.#places.filter((entry) => entry !== undefined);
  }
}
