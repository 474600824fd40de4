/** What one operation may still read and answer of what can be long, as it comes. */
import type { GraphQLError } from 'graphql';
import { type Extent, LARGEST_ROW_BYTES } from '../../model/extent.ts';
import { limitExceeded, maximumOf } from './maxima.ts';

/** Long rows are read in statements that hold no more than this, if every row is as long as it can be. */
const LARGEST_READ_BYTES = 16 * 1024 ** 2;

export class Allowance {
  #left = maximumOf('bytes');
  #lastRead: Promise<unknown> = Promise.resolve();

  /**
   * Counts a value of the answer.
   * @throws GraphQLError `graphql_limit_exceeded`
   */
  answer(value: unknown): void {
    this.#left -= Buffer.byteLength(JSON.stringify(value) ?? '');
    this.#check();
  }

  /**
   * Reads rows; long ones statement after statement, so that what has been answered by then counts before more is read.
   * @throws GraphQLError `graphql_limit_exceeded`
   */
  read<Rows>(extent: Extent, statement: () => Promise<Rows>): Promise<Rows> {
    if (extent === 'brief') return statement();
    const read = this.#lastRead.then(() => {
      this.#check();
      return statement();
    });
    this.#lastRead = read.catch(() => undefined);
    return read;
  }

  #check(): void {
    if (this.#left < 0) throw this.#exceeded();
  }

  #exceeded(): GraphQLError {
    return limitExceeded('bytes', maximumOf('bytes') - this.#left);
  }
}

/** How many pages of so many rows one statement may read. */
export const pagesPerRead = (extent: Extent, rows: number): number =>
  extent === 'brief'
    ? Number.POSITIVE_INFINITY
    : Math.max(1, Math.floor(LARGEST_READ_BYTES / (LARGEST_ROW_BYTES[extent] * Math.max(1, rows))));
