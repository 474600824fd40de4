import { z } from 'zod';
import { firstProblems } from './field-problem.ts';
import type { ProblemOf } from './outcomes.ts';

// PostgreSQL's text holds neither NUL nor an unpaired surrogate.
const storable = (value: string) => !value.includes('\0') && value.isWellFormed();

/** Unknown keys that are named, and how much of each: enough to find them by. */
const MOST_UNKNOWN_KEYS = 20;
export const LONGEST_SHOWN_KEY = 100;

/** Free text of at most `length` characters. */
export const text = (length: number) =>
  z
    .string()
    .max(length, `must have at most ${length} characters`)
    .refine(storable, 'must not contain NUL or unpaired surrogates');

/** One line of visible text. */
export const singleLine = (length: number) =>
  text(length).refine(
    (value) => value.trim() !== '' && !/\p{Cc}/u.test(value),
    'must be one line of visible text',
  );

const NO_MOMENT = 'must be a moment such as 2026-01-31T12:00:00Z';

/** A moment with its offset (RFC 3339, which takes small letters as well). */
export const moment = z
  .string(NO_MOMENT)
  .toUpperCase()
  .pipe(z.iso.datetime({ offset: true, error: NO_MOMENT }))
  .transform((text) => new Date(text));

export type Validated<T> =
  | { readonly kind: 'valid'; readonly value: T }
  | ProblemOf<'validation_failed'>;

/** The problem of one field of a caller's input. */
export const invalidField = (path: string, message: string): ProblemOf<'validation_failed'> => ({
  kind: 'validation_failed',
  fields: [{ path, message }],
});

/**
 * Checks a caller's input; the paths of the problems are those of the input.
 * @param whole the path of a problem with all of it
 */
export function validate<S extends z.ZodType>(
  schema: S,
  input: unknown,
  whole = 'input',
): Validated<z.output<S>> {
  const result = schema.safeParse(input);
  if (result.success) return { kind: 'valid', value: result.data };
  const fields = result.error.issues.flatMap((issue) => {
    const path = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys')
      return [{ path: path || whole, message: issue.message }];
    // If it were ignored, a misspelled field would be a change that silently does not happen.
    return issue.keys.slice(0, MOST_UNKNOWN_KEYS).map((key) => ({
      path: `${path === '' ? '' : `${path}.`}${key.slice(0, LONGEST_SHOWN_KEY)}`,
      message: 'is not a field of this request',
    }));
  });
  return { kind: 'validation_failed', fields: firstProblems(fields) };
}
