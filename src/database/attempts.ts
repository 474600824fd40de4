/** The one place where work on the database is tried again, and where changes are kept from taking every connection. */
import { setTimeout as pause } from 'node:timers/promises';
import { sqlState } from './sql-state.ts';

export interface Attempts {
  /** Does what only reads. */
  read<T>(work: () => Promise<T>): Promise<T>;
  /** Does a whole transaction, or one statement outside any; `work` may be called several times. */
  write<T>(work: () => Promise<T>): Promise<T>;
  /** How many wait until fewer changes are under way. */
  readonly waiting: () => number;
}

/** With pauses that double these take up to two thirds of a second: what is still in conflict then is a fault. */
const MOST_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;
/** As long as a statement waits for a connection. */
const LONGEST_WAIT_MS = 5_000;

/** @param mostWrites how many changes may be under way at a moment: a commit that hangs must leave reads their turn */
export function createAttempts(mostWrites: number): Attempts {
  const queue = new Set<() => void>();
  let free = mostWrites;

  const enter = (): Promise<void> | undefined => {
    if (free > 0) {
      free -= 1;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        queue.delete(next);
        reject(tooBusy());
      }, LONGEST_WAIT_MS);
      const next = () => {
        clearTimeout(timer);
        resolve();
      };
      queue.add(next);
    });
  };

  const leave = () => {
    const [next] = queue;
    if (next === undefined) {
      free += 1;
      return;
    }
    queue.delete(next);
    next();
  };

  return {
    read: (work) => untilItPasses(work, isUndone, MOST_ATTEMPTS),
    async write(work) {
      await enter();
      try {
        return await untilItPasses(work, isUndone, MOST_ATTEMPTS);
      } finally {
        leave();
      }
    },
    waiting: () => queue.size,
  };
}

/**
 * Does work again while it fails for a reason that passes by itself.
 * @throws what `work` throws for another reason, or at last
 */
export async function untilItPasses<T>(
  work: () => Promise<T>,
  passes: (error: unknown) => boolean,
  mostAttempts: number,
): Promise<T> {
  for (let number = 1; ; number += 1) {
    try {
      return await work();
    } catch (error) {
      if (number === mostAttempts || !passes(error)) throw error;
    }
    // At a random moment, so that transactions that conflicted do not meet again.
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** number);
    await pause(Math.random() * longest);
  }
}

/**
 * What the server has undone as a whole, so that doing it again cannot do it twice: a conflict with another transaction
 * (40001), a deadlock (40P01), a write on a server that has become a standby (25006), after which the pool connects
 * again.
 */
const isUndone = (error: unknown): boolean => /^(40001|40P01|25006)$/.test(sqlState(error) ?? '');

/** PostgreSQL's own code for having no room. */
const tooBusy = () =>
  Object.assign(new Error('too many changes wait for the database'), { code: '53300' });
