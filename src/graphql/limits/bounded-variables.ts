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
import type { Variables } from '../execution/plan.ts';
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
  const beyond = beyondLimits(variables);
  if (beyond !== null) return [beyond];
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  const options = { maxErrors: MOST_ERRORS };
  return getVariableValues(schema, definitions, variables, options).errors ?? [];
}

/** The first object with too many fields, each of which GraphQL would quote, or the first text that is too long. */
function beyondLimits(variables: Variables): GraphQLError | null {
  for (const object of objectsIn(variables)) {
    const fields = object === variables || Array.isArray(object) ? 0 : Object.keys(object).length;
    if (fields > maximumOf('inputFields')) return limitExceeded('inputFields', fields);
    for (const key in object) {
      const value: unknown = Reflect.get(object, key);
      const characters = typeof value === 'string' ? value.length : 0;
      if (characters > maximumOf('text')) return limitExceeded('text', characters);
    }
  }
  return null;
}

/** Characters and values in variables; where there are more than a few thousand, no more of them than that. */
export function sizeOfVariables(variables: Variables): number {
  let size = 1;
  for (const object of objectsIn(variables)) {
    for (const key in object) {
      const value: unknown = Reflect.get(object, key);
      size += key.length + (typeof value === 'string' ? value.length : 1);
      if (size >= SMALL) return size;
    }
  }
  return size;
}

/** Itself and every object and list in it; without recursion, for JSON may be nested 500,000 levels deep in a megabyte. */
function* objectsIn(variables: Variables): Generator<object> {
  const waiting: object[] = [variables];
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    yield object;
    for (const key in object) {
      const inside: unknown = Reflect.get(object, key);
      if (typeof inside === 'object' && inside !== null) waiting.push(inside);
    }
  }
}
