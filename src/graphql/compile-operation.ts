/** Queries as functions: a third less CPU than interpreting them on lists (bench/README.md). */
import {
  type ASTNode,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  TypeInfo,
  type TypeNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { Context } from './context.ts';

export type Variables = Readonly<Record<string, unknown>>;
export type Run = (
  context: Context,
  variables: Variables,
) => ExecutionResult | Promise<ExecutionResult>;

/**
 * Compiles the one operation of a valid document, if the compiler is known to get it right; else it is interpreted.
 *
 * A query whose compiled answer has errors is asked again by GraphQL's own executor, which words and places them as
 * everywhere else: that changes nothing, because queries have no effects. Mutations are always interpreted.
 */
export function compileOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Run {
  const interpret: Run = (contextValue, variableValues) =>
    // Of graphql 16's `execute`, whose type still says `PromiseOrValue`.
    execute({ schema, document, contextValue, variableValues }) as Promise<ExecutionResult>;
  if (!isSafe(schema, document, operation)) return interpret;
  const compiled = compileQuery(schema, document);
  if (!isCompiledQuery(compiled)) return interpret;
  return async (context, variables) => {
    // Its type says `any` where GraphQL says what an answer is.
    const result: ExecutionResult = await compiled.query(undefined, context, variables);
    return result.errors === undefined ? result : interpret(context, variables);
  };
}

/**
 * Whether a query stays clear of what graphql-jit does otherwise than the specification says: abstract types, variables
 * that are no single leaf or that a default or null may take the place of, and names that every object has.
 */
function isSafe(
  schema: GraphQLSchema,
  document: DocumentNode,
  { operation, variableDefinitions = [] }: OperationDefinitionNode,
): boolean {
  const isSingleLeaf = (type: TypeNode): boolean =>
    type.kind === Kind.NON_NULL_TYPE
      ? isSingleLeaf(type.type)
      : type.kind === Kind.NAMED_TYPE && isLeafType(schema.getType(type.name.value));
  if (operation !== OperationTypeNode.QUERY) return false;
  const nullable = new Set<string>();
  for (const { type, variable, defaultValue } of variableDefinitions) {
    if (!isSingleLeaf(type) || defaultValue !== undefined) return false;
    if (type.kind !== Kind.NON_NULL_TYPE) nullable.add(variable.name.value);
  }

  let safe = true;
  const types = new TypeInfo(schema);
  const checkSelection = () => {
    const type = types.getType();
    safe &&= type != null && !isAbstractType(getNamedType(type));
  };
  const checkVariable = (name: string, parent: Parent) => {
    const type = types.getInputType();
    // Unknown within a literal that only its scalar understands.
    safe &&= type != null;
    if (!nullable.has(name)) return;
    const isArgument = parent !== undefined && 'kind' in parent && parent.kind === Kind.ARGUMENT;
    safe &&= isArgument && !isNonNullType(type) && types.getDefaultValue() === undefined;
  };
  const visitor = visitWithTypeInfo(types, {
    VariableDefinition: () => false,
    Field: checkSelection,
    InlineFragment: checkSelection,
    FragmentDefinition: checkSelection,
    Variable: ({ name }, _key, parent) => checkVariable(name.value, parent),
    Name: ({ value }) => {
      safe &&= !(value in {});
    },
  });
  visit(document, visitor);
  return safe;
}

type Parent = ASTNode | readonly ASTNode[] | undefined;
