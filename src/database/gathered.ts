import { AsyncLocalStorage } from 'node:async_hooks';
import DataLoader from 'dataloader';
import type { StatementEvent } from './connect.ts';
import { isRefusedByDatabase } from './sql-state.ts';

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

/** Asks in one statement together with all who ask the same at the same moment. */
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

/** Runs something as the request did that asked: within its trace. */
type Within = <Result>(run: () => Result) => Result;

interface Asked<Key> {
  readonly key: Key;
  readonly within: Within;
}

/** So that no request waits for the work of hundreds of others. */
const LARGEST_BATCH = 100;

/**
 * Gathers what is asked until the end of this turn of the event loop. Nothing is kept, and the statement is sent after
 * all of them have asked: each sees every change that was committed before it came.
 *
 * A statement that the database refuses is sent again for each of those who asked, so that no request fails because of
 * another.
 * @param onShared told of a statement within the trace of everybody whom it answers besides the first
 */
export function createGather(
  query: Query,
  onShared: ((event: StatementEvent) => void) | undefined,
): Gather {
  const loaders = new Map<unknown, DataLoader<never, unknown>>();
  // Nobody looks: then nothing has to be remembered of who asked.
  const asIt: Within = (run) => run();
  return <Key, Value>(asked: Gathered<Key, Value>, key: Key): Promise<Value> => {
    const one = { key, within: onShared === undefined ? asIt : AsyncLocalStorage.snapshot() };
    // The loader under `asked` was made of it, so it has its types; the map cannot say so.
    const known = loaders.get(asked) as DataLoader<Asked<Key>, Value> | undefined;
    if (known !== undefined) return known.load(one);
    const made = new DataLoader<Asked<Key>, Value>(
      (all) => answerAll(query, onShared, asked, all),
      {
        cache: false,
        maxBatchSize: LARGEST_BATCH,
        // By the end of this turn of the event loop all sockets that had something to read have been read.
        batchScheduleFn: (send) => void setImmediate(send),
      },
    );
    loaders.set(asked, made);
    return made.load(one);
  };
}

async function answerAll<Key, Value>(
  query: Query,
  onShared: ((event: StatementEvent) => void) | undefined,
  asked: Gathered<Key, Value>,
  all: readonly Asked<Key>[],
): Promise<readonly (Value | Error)[]> {
  try {
    const shared = onShared === undefined ? query : toldToAll(query, onShared, all.slice(1));
    const keys = all.map(({ key }) => key);
    return await asked(shared, keys);
  } catch (error) {
    if (all.length === 1 || !isRefusedByDatabase(error)) throw error;
    const alone = all.map(({ key, within }) => within(() => asked(query, [key])));
    const settled = await Promise.allSettled(alone);
    // One key was asked for, so there is one answer.
    return settled.map((one) =>
      one.status === 'fulfilled' ? (one.value[0] as Value) : asError(one.reason),
    );
  }
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason));

/** The query, whose statements are told to these as well. */
const toldToAll =
  (
    query: Query,
    onShared: (event: StatementEvent) => void,
    others: readonly { readonly within: Within }[],
  ): Query =>
  async <Row>(sql: string, values: readonly unknown[]) => {
    const startedAt = performance.now();
    let failed = true;
    try {
      const rows = await query<Row>(sql, values);
      failed = false;
      return rows;
    } finally {
      const milliseconds = performance.now() - startedAt;
      const event = { sql, hasValues: values.length > 0, milliseconds, failed };
      for (const { within } of others) within(() => onShared(event));
    }
  };
