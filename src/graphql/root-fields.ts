import {
  type DocumentNode,
  type GraphQLField,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/** The fields of Query, Mutation or Subscription that an operation of a valid document asks for, by way of fragments too. */
export function rootFields(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): GraphQLField<unknown, unknown>[] {
  const operation = getOperationAST(document, operationName);
  const type = operation == null ? undefined : schema.getRootType(operation.operation);
  if (operation == null || type == null) return [];
  const fields = type.getFields();
  const found = new Set<GraphQLField<unknown, unknown>>();
  const spread = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const field = fields[selection.name.value];
        if (field !== undefined) found.add(field);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        for (const definition of document.definitions) {
          const isIt =
            definition.kind === Kind.FRAGMENT_DEFINITION &&
            definition.name.value === selection.name.value;
          if (isIt) collect(definition.selectionSet);
        }
      }
    }
  };
  collect(operation.selectionSet);
  return [...found];
}
