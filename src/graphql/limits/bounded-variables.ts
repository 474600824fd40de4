/**
 * What is wrong with large variables, told before GraphQL tells it: it quotes a value in each of up to fifty errors,
 * which of a megabyte with many faults makes fifty.
 */
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
} from 'graphql';
import type { Variables } from './argument-value.ts';
import { limitExceeded, maximumOf } from './maxima.ts';

/** Characters and values that all variables may have together to be left to GraphQL. */
const SMALL = 4_096;
/** Further errors are not told. */
const MOST_ERRORS = 2;

export interface Run {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
}

/** The first errors of variables that are large; none where they fit, or are small. */
export function errorsOfLargeVariables(
  { schema, document, operationName }: Run,
  variables: Variables,
): readonly GraphQLError[] {
  if (sizeOfVariables(variables) < SMALL) return [];
  const fields = widestOf(variables);
  if (fields > maximumOf('inputFields')) return [limitExceeded('inputFields', fields)];
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  const options = { maxErrors: MOST_ERRORS };
  return getVariableValues(schema, definitions, variables, options).errors ?? [];
}

/** Fields of the object that has most of them, or the first that has too many: GraphQL would quote each. */
function widestOf(variables: Variables): number {
  let widest = 0;
  const values: unknown[] = Object.values(variables);
  while (values.length > 0 && widest <= maximumOf('inputFields')) {
    const value = values.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inside = Object.values(value);
    if (!Array.isArray(value)) widest = Math.max(widest, inside.length);
    // Not spread into `push`, which takes arguments only up to the depth of the stack.
    for (const one of inside) values.push(one);
  }
  return widest;
}

/** Characters and values in variables; where there are more than a few thousand, no more of them than that. */
export function sizeOfVariables(variables: Variables): number {
  let size = 0;
  // Without recursion: JSON of a megabyte may be nested 500,000 levels deep.
  const values: unknown[] = [variables];
  while (values.length > 0 && size < SMALL) {
    const value = values.pop();
    size += typeof value === 'string' ? value.length : 1;
    if (typeof value !== 'object' || value === null) continue;
    for (const key in value) {
      size += key.length;
      if (size >= SMALL) return size;
      values.push(Reflect.get(value, key));
    }
  }
  return size;
}
