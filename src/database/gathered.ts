import DataLoader from 'dataloader';

/** Sends one statement with bound values. */
export type Query = <Row>(sql: string, values: readonly unknown[]) => Promise<Row[]>;

/**
 * What many requests ask the database in one statement. A constant of the module that owns the statement: it is the
 * name under which a `Database` gathers those who ask.
 *
 * Answers in the order of the keys.
 */
export type Gathered<Key, Value> = (
  query: Query,
  keys: readonly Key[],
) => Promise<readonly Value[]>;

/** Asks together with whoever asks the same at the same moment. */
export type Gather = <Key, Value>(asked: Gathered<Key, Value>, key: Key) => Promise<Value>;

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
 * Gathers what is asked until the end of this turn of the event loop. Nothing is kept, and the statement is sent after
 * all of them have asked: each sees every change that was committed before it came.
 */
export function createGather(query: Query): Gather {
  const loaders = new Map<unknown, DataLoader<never, unknown>>();
  return <Key, Value>(asked: Gathered<Key, Value>, key: Key): Promise<Value> => {
    // The loader under `asked` was made of it, so it has its types; the map cannot say so.
    const known = loaders.get(asked) as DataLoader<Key, Value> | undefined;
    if (known !== undefined) return known.load(key);
    const made = new DataLoader<Key, Value>((keys) => asked(query, keys), {
      cache: false,
      maxBatchSize: 100,
      // By the end of this turn of the event loop all sockets that had something to read have been read.
      batchScheduleFn: (send) => void setImmediate(send),
    });
    loaders.set(asked, made);
    return made.load(key);
  };
}
