/** REST's spelling: enum values in lower case, names in snake_case. */
import { z } from '@hono/zod-openapi';

/** A value of an enum as REST writes it. */
export const lowerCase = <Value extends string>(value: Value): Lowercase<Value> =>
  // What `toLowerCase` does; its type says only `string`.
  value.toLowerCase() as Lowercase<Value>;

/** An enum in an answer. */
export const enumOut = <Value extends string>(values: readonly Value[]) =>
  z.enum(values.map(lowerCase));

const documented = <Value extends string>(values: readonly Value[]) =>
  ({ type: 'string', enum: values.map(lowerCase) }) as const;

/** An enum in a request: documented in lower case, taken in any. */
export const enumIn = <Value extends string>(values: readonly Value[]) =>
  z
    .string()
    .transform((text, context): Value => {
      const found = values.find((value) => value === text.toUpperCase());
      if (found !== undefined) return found;
      context.addIssue(`must be one of ${values.map(lowerCase).join(', ')}`);
      return z.NEVER;
    })
    .openapi(documented(values));

/** The same, where leaving it out means `fallback`. */
export const enumInOr = <Value extends string>(
  values: readonly Value[],
  fallback: NoInfer<Value>,
) =>
  enumIn(values)
    .optional()
    .transform((value): Value => value ?? fallback)
    .openapi({ ...documented(values), default: lowerCase(fallback) });

/** `displayName` -> `display_name`, `packIds.0` -> `pack_ids.0`; anything else stays as it is. */
export const snakeCase = (path: string): string =>
  /^[a-z]+(?:[A-Z][a-z]+)+(?:\.\d+)*$/.test(path)
    ? path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : path;
