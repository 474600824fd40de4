/** What an operation, or a part of it, takes at most. */
export interface Amount {
  /** Fields of the answer. */
  readonly fields: number;
  /** Rows of the database. */
  readonly rows: number;
  /** Of the answer, as JSON. */
  readonly bytes: number;
}

export const nothing: Amount = { fields: 0, rows: 0, bytes: 0 };

export const plus = (one: Amount, other: Amount): Amount => ({
  fields: clamped(one.fields + other.fields),
  rows: clamped(one.rows + other.rows),
  bytes: clamped(one.bytes + other.bytes),
});

export const times = (count: number, { fields, rows, bytes }: Amount): Amount => ({
  fields: clamped(count * fields),
  rows: clamped(count * rows),
  bytes: clamped(count * bytes),
});

/** Fragments that spread each other grow exponentially, and Infinity is no JSON. */
const clamped = (count: number): number => Math.min(count, Number.MAX_SAFE_INTEGER);
