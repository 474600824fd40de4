import { z } from 'zod';
import { firstProblems } from './field-problem.ts';
import type { ProblemOf } from './outcomes.ts';

// PostgreSQL's text holds neither NUL nor an unpaired surrogate.
const storable = (value: string) => !value.includes('\0') && value.isWellFormed();

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

/** Checks a caller's input; the paths of the problems are those of the input. */
export function validate<S extends z.ZodType>(
  schema: S,
  input: unknown,
): { readonly kind: 'valid'; readonly value: z.output<S> } | ProblemOf<'validation_failed'> {
  const result = schema.safeParse(input);
  if (result.success) return { kind: 'valid', value: result.data };
  const fields = result.error.issues.map(({ path, message }) => ({
    path: path.join('.') || 'input',
    message,
  }));
  return { kind: 'validation_failed', fields: firstProblems(fields) };
}
