/** INTROSPECTION=off: the schema is not shown, neither as a whole nor name by name. */
import {
  type ExecutionResult,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  type ValidationRule,
} from 'graphql';
import type { YogaPlugin } from './server-context.ts';

/** Federation's own introspection; a router asks for it at no time, and composition has `schema.graphql`. */
const NoSubgraphSchema: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value !== '_service') return;
    context.reportError(new GraphQLError('The schema is not shown here.', { nodes: node }));
  },
});

/** Comes before the plugin that makes errors public. */
export function useHiddenSchema(): YogaPlugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
      addValidationRule(NoSubgraphSchema);
    },
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
