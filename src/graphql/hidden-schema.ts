/** INTROSPECTION=off: the schema is not told, neither at once nor name by name. */
import { type ExecutionResult, NoSchemaIntrospectionCustomRule } from 'graphql';
import type { YogaPlugin } from './server-context.ts';

/** Comes before the plugin that makes errors public. */
export function useHiddenSchema(): YogaPlugin {
  return {
    onValidate: ({ addValidationRule }) => addValidationRule(NoSchemaIntrospectionCustomRule),
    // Variables are checked after validation and bring suggestions of their own, so all errors are seen here.
    onResultProcess({ result }) {
      if (Symbol.asyncIterator in result) return;
      for (const one of [result].flat()) withoutSuggestions(one);
    },
  };
}

function withoutSuggestions({ errors = [] }: ExecutionResult): void {
  for (const error of errors) error.message = error.message.replace(/ ?Did you mean .*$/s, '');
}
