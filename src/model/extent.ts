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

/**
 * A column that the row may lack.
 * @throws Error where it does: otherwise the caller would be told that there is no value
 */
export function detail<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the row was read without this column');
  return value;
}
