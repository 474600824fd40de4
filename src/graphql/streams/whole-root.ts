import {
  GraphQLError,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
  type ValidationRule,
  validate,
} from 'graphql';
import type { YogaPlugin } from '../server-context.ts';

/** A stream is of the one field that its document names, whatever its variables are. */
export function useWholeRoots(): YogaPlugin {
  return {
    // Before the other rules: graphql-js' own throws where it meets such a variable.
    onValidate({ params: { schema, documentAST }, setResult }) {
      const errors = validate(schema, documentAST, [NoConditionAtRoot]);
      if (errors.length > 0) setResult(errors);
    },
  };
}

/**
 * The root of a subscription has no `@skip` and no `@include` (GraphQL specification, September 2025, 5.2.4.1): graphql-js
 * counts its fields without their variables, and would run one that is not there.
 */
const NoConditionAtRoot: ValidationRule = (context) => ({
  OperationDefinition({ operation, selectionSet }) {
    if (operation !== OperationTypeNode.SUBSCRIPTION) return;
    const seen = new Set<string>();
    const visit = ({ selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        for (const directive of selection.directives ?? []) {
          const { value } = directive.name;
          if (value !== GraphQLSkipDirective.name && value !== GraphQLIncludeDirective.name)
            continue;
          const message = `The root of a subscription takes no @${value}: leave the whole operation out instead.`;
          context.reportError(new GraphQLError(message, { nodes: directive }));
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
        if (selection.kind !== Kind.FRAGMENT_SPREAD || seen.has(selection.name.value)) continue;
        seen.add(selection.name.value);
        const fragment = context.getFragment(selection.name.value);
        if (fragment) visit(fragment.selectionSet);
      }
    };
    visit(selectionSet);
  },
});
