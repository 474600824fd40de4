/**
 * How much of each row is read: `brief` leaves out what lists rarely show, `described` leaves out the capabilities,
 * which may be longer than all the rest.
 */
export const extents = ['brief', 'described', 'whole'] as const;
export type Extent = (typeof extents)[number];

/** What a row can take at most, as JSON. */
export const LARGEST_ROW_BYTES: Readonly<Record<Extent, number>> = {
  brief: 2 * 1024,
  described: 32 * 1024,
  whole: 128 * 1024,
};

/** A row of a list, of which only the columns that were asked for are read; `detail` tells a missing one from null. */
export type Listed<Row extends { readonly id: unknown }> = Pick<Row, 'id'> &
  Partial<Omit<Row, 'id'>>;

/**
 * A column that the row may lack.
 * @throws Error where it does: otherwise the caller would be told that there is no value
 */
export function detail<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the row was read without this column');
  return value;
}

/** Reads one column of rows that may lack it; errors as of `detail`. */
export const columnReader =
  <Row>() =>
  <Name extends keyof Row>(name: Name) =>
  (row: Partial<Row>): Row[Name] =>
    detail<Row[Name]>(row[name]);
