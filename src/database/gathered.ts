import DataLoader from 'dataloader';

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
