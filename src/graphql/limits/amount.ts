/** What an operation, or a part of it, takes at most. */
export interface Amount {
  /** Fields of the answer. */
  readonly fields: number;
  /** Rows of the database. */
  readonly rows: number;
  /** Of the answer, as JSON, but for long texts. */
  readonly bytes: number;
  /** Bytes of texts that can be long, were each as long as it can be; what they are counts when they are answered. */
  readonly counted: number;
}

export const nothing: Amount = { fields: 0, rows: 0, bytes: 0, counted: 0 };

export const plus = (one: Amount, other: Amount): Amount => ({
  fields: clamped(one.fields + other.fields),
  rows: clamped(one.rows + other.rows),
  bytes: clamped(one.bytes + other.bytes),
  counted: clamped(one.counted + other.counted),
});

export const times = (count: number, { fields, rows, bytes, counted }: Amount): Amount => ({
  fields: clamped(count * fields),
  rows: clamped(count * rows),
  bytes: clamped(count * bytes),
  counted: clamped(count * counted),
});

/** Fragments that spread each other grow exponentially, and Infinity is no JSON. */
const clamped = (count: number): number => Math.min(count, Number.MAX_SAFE_INTEGER);
