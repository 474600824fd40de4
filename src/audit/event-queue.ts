/** What a stream's writer and its reader share: bounded, so that a reader who stops reading costs no memory. */
import { RequestRefused } from '../request-refused.ts';

export interface EventQueue<Item> extends AsyncIterableIterator<Item, undefined> {
  /** Adds an item; one that finds the queue full ends it. */
  push(item: Item): void;
  /** What waits is still read, then the error thrown. A later end changes nothing. */
  end(error: RequestRefused): void;
  return(): Promise<IteratorReturnResult<undefined>>;
}

/**
 * @param capacity items that may wait
 * @param onEnd called once, whichever side ended it: null where that was the reader
 */
export function createEventQueue<Item>(
  capacity: number,
  onEnd: (reason: RequestRefused | null) => void,
): EventQueue<Item> {
  let waiting: Item[] = [];
  const readers: PromiseWithResolvers<IteratorResult<Item, undefined>>[] = [];
  let isOpen = true;
  let unsaid: RequestRefused | null = null;

  const finish = (reason: RequestRefused | null) => {
    if (!isOpen) return;
    isOpen = false;
    // A reader that waits is told at once; otherwise the next one is.
    const reader = reason === null ? undefined : readers.shift();
    if (reader === undefined) unsaid = reason;
    else if (reason !== null) reader.reject(reason);
    for (const other of readers.splice(0)) other.resolve({ done: true, value: undefined });
    onEnd(reason);
  };

  return {
    push(item) {
      if (!isOpen) return;
      const reader = readers.shift();
      if (reader !== undefined) reader.resolve({ done: false, value: item });
      else if (waiting.length < capacity) waiting.push(item);
      else {
        waiting = [];
        finish(new RequestRefused('rate_limited', tooSlow(capacity)));
      }
    },
    end: finish,
    async next() {
      const item = waiting.shift();
      if (item !== undefined) return { done: false, value: item };
      if (unsaid !== null) {
        const error = unsaid;
        unsaid = null;
        throw error;
      }
      if (!isOpen) return { done: true, value: undefined };
      const reader = Promise.withResolvers<IteratorResult<Item, undefined>>();
      readers.push(reader);
      return reader.promise;
    },
    async return() {
      waiting = [];
      finish(null);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const tooSlow = (capacity: number): string =>
  `More than ${capacity} events were waiting to be read: read again what you follow, then subscribe again.`;
