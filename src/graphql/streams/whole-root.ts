import {
  type DocumentNode,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { isCondition } from '../execution/planner.ts';
import type { YogaPlugin } from '../server-context.ts';

/** A stream is of the one field that its document names, whatever its variables are. */
export function useWholeRoots(): YogaPlugin {
  return {
    // Before the rules of graphql-js: its own throws where it meets such a variable.
    onValidate({ params: { documentAST }, setResult }) {
      const errors = conditionsAtRoots(documentAST);
      if (errors.length > 0) setResult(errors);
    },
  };
}

/**
 * The root of a subscription has no `@skip` and no `@include` (GraphQL specification, September 2025, 5.2.4.1): graphql-js
 * counts its fields without their variables, and would run one that is not there.
 */
const conditionsAtRoots = (document: DocumentNode): GraphQLError[] =>
  document.definitions.flatMap((one) =>
    one.kind === Kind.OPERATION_DEFINITION && one.operation === OperationTypeNode.SUBSCRIPTION
      ? [...selectionsAtRoot(document, one.selectionSet, new Set())].flatMap(refused)
      : [],
  );

function* selectionsAtRoot(
  document: DocumentNode,
  { selections }: SelectionSetNode,
  seen: Set<string>,
): Generator<SelectionNode> {
  for (const selection of selections) {
    yield selection;
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      yield* selectionsAtRoot(document, selection.selectionSet, seen);
    }
    if (selection.kind !== Kind.FRAGMENT_SPREAD || seen.has(selection.name.value)) continue;
    const { value } = selection.name;
    seen.add(value);
    for (const one of document.definitions) {
      if (one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === value) {
        yield* selectionsAtRoot(document, one.selectionSet, seen);
      }
    }
  }
}

const refused = ({ directives = [] }: SelectionNode): GraphQLError[] =>
  directives.filter(isCondition).map((directive) => {
    const message = `The root of a subscription takes no @${directive.name.value}: leave the whole operation out instead.`;
    return new GraphQLError(message, { nodes: directive });
  });
