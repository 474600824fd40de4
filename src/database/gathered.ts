import DataLoader from 'dataloader';

/** A record that answers one of those who asked together (`unnest(…) with ordinality`). */
export interface Placed {
  /** Of the one who asked, counted from 1. */
  readonly place: number | string;
}

/** The records in the places of those who asked; undefined where there is none. */
export function inPlaces<Found extends Placed>(
  asked: readonly unknown[],
  records: readonly Found[],
): (Found | undefined)[] {
  const found = new Map(records.map((record) => [Number(record.place), record]));
  return asked.map((_, index) => found.get(index + 1));
}

/**
 * Reads what requests ask for at the same moment in one statement. Nothing is kept, and the statement is sent after all
 * of them have asked: each sees every change that was committed before it came.
 *
 * @param read answers in the order of the keys
 */
export function gathered<Key, Value>(
  read: (keys: readonly Key[]) => Promise<readonly Value[]>,
): (key: Key) => Promise<Value> {
  const loader = new DataLoader<Key, Value>(read, {
    cache: false,
    maxBatchSize: 100,
    // By the end of this turn of the event loop all sockets that had something to read have been read.
    batchScheduleFn: (send) => void setImmediate(send),
  });
  return (key) => loader.load(key);
}
