/** How much of each row a list reads: `brief` leaves out what lists rarely show. */
export type Extent = 'brief' | 'whole';

/**
 * A column that brief rows lack.
 * @throws Error where somebody asks for it all the same, who would have been told that there is none
 */
export function detail<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the row was read in brief, without this column');
  return value;
}
