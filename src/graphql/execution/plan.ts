/**
 * What executing an operation needs to know of its document, worked out once: which fields each selection set has on
 * each object type, in the order of the answer, and with which arguments (GraphQL specification, 6.3.2 and 6.4.1).
 */
import {
  type DocumentNode,
  defaultFieldResolver,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLFieldResolver,
  GraphQLIncludeDirective,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  typeFromAST,
  visit,
} from 'graphql';

export type Variables = Readonly<Record<string, unknown>>;

/** A type as a value is completed by it: nullability as a flag, so that no type is unwrapped for each value. */
export type Completion = { readonly isNonNull: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType }
  | { readonly kind: 'object'; readonly type: GraphQLObjectType }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType }
  | { readonly kind: 'list'; readonly item: Completion }
);

/** One field of an object's answer. */
export interface FieldPlan {
  readonly key: string;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly parentType: GraphQLObjectType;
  /** Every selection that asks for it under this key. */
  readonly nodes: readonly FieldNode[];
  /** The first of them, whose arguments count. */
  readonly node: FieldNode;
  readonly completion: Completion;
  /** Undefined where the field is the property of its name. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined;
  /** The arguments, where no variable decides them; else worked out once for each execution. */
  readonly args: Readonly<Record<string, unknown>> | undefined;
  /** Its number among the plan's fields whose arguments depend on variables. */
  readonly slot: number;
  /** What its answer has on an object type. */
  selectionOn(type: GraphQLObjectType): SelectionPlan;
}

/** An object's answer. */
export interface SelectionPlan {
  readonly fields: readonly FieldPlan[];
  /** Whether a field is answered under the name `__proto__`. */
  readonly hasProto: boolean;
}

export interface OperationPlan {
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly selection: SelectionPlan;
}

const NO_ARGUMENTS: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * The plan of an operation of a valid document, for one choice of the fields that variables decide on.
 * @param onField called for each field that is planned, during executions as well
 */
export function planOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
  onField: () => void,
): OperationPlan {
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments[definition.name.value] = definition;
    }
  }
  let slots = 0;

  function selectionOn(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): SelectionPlan {
    const byKey = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const set of sets) collect(type, set, byKey, visited);
    const fields = [...byKey].flatMap(([key, nodes]) => fieldPlan(type, key, nodes) ?? []);
    return { fields, hasProto: byKey.has('__proto__') };
  }

  function collect(
    type: GraphQLObjectType,
    set: SelectionSetNode,
    byKey: Map<string, FieldNode[]>,
    visited: Set<string>,
  ): void {
    for (const node of set.selections) {
      if (getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true) continue;
      if (getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if === false) continue;
      switch (node.kind) {
        case Kind.FIELD: {
          const key = (node.alias ?? node.name).value;
          const nodes = byKey.get(key);
          if (nodes === undefined) byKey.set(key, [node]);
          else nodes.push(node);
          break;
        }
        case Kind.INLINE_FRAGMENT:
          if (applies(node.typeCondition, type)) collect(type, node.selectionSet, byKey, visited);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = fragments[node.name.value];
          if (fragment === undefined || visited.has(node.name.value)) break;
          visited.add(node.name.value);
          if (applies(fragment.typeCondition, type)) {
            collect(type, fragment.selectionSet, byKey, visited);
          }
          break;
        }
      }
    }
  }

  function applies(
    condition: FragmentDefinitionNode['typeCondition'] | undefined,
    type: GraphQLObjectType,
  ): boolean {
    if (condition === undefined) return true;
    const named = typeFromAST(schema, condition);
    return named === type || (isAbstractType(named) && schema.isSubType(named, type));
  }

  function fieldPlan(
    parentType: GraphQLObjectType,
    key: string,
    nodes: readonly FieldNode[],
  ): FieldPlan | null {
    const [first] = nodes;
    const definition = first && definitionOf(schema, parentType, first.name.value);
    // What the type does not have is left out, as the specification says of a document that was not validated.
    if (first === undefined || definition === undefined) return null;
    onField();
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const byType = new Map<GraphQLObjectType, SelectionPlan>();
    const args = constantArguments(definition, first);
    return {
      key,
      definition,
      parentType,
      nodes,
      node: first,
      completion: completionOf(definition.type),
      resolve: readsProperty(definition) ? undefined : definition.resolve,
      args,
      slot: args === undefined ? slots++ : -1,
      selectionOn(type) {
        let selection = byType.get(type);
        if (selection === undefined) {
          selection = selectionOn(type, sets);
          byType.set(type, selection);
        }
        return selection;
      },
    };
  }

  // Who executes an operation has made sure that the schema has a root for it.
  const rootType = schema.getRootType(operation.operation) as GraphQLObjectType;
  return { operation, fragments, selection: selectionOn(rootType, [operation.selectionSet]) };
}

function definitionOf(
  schema: GraphQLSchema,
  parentType: GraphQLObjectType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (parentType === schema.getQueryType()) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  }
  return parentType.getFields()[name];
}

function completionOf(type: GraphQLOutputType): Completion {
  const isNonNull = isNonNullType(type);
  const inner = isNonNull ? type.ofType : type;
  if (isListType(inner)) return { isNonNull, kind: 'list', item: completionOf(inner.ofType) };
  if (isLeafType(inner)) return { isNonNull, kind: 'leaf', type: inner };
  if (isAbstractType(inner)) return { isNonNull, kind: 'abstract', type: inner };
  return { isNonNull, kind: 'object', type: inner };
}

const readsProperty = ({ resolve }: GraphQLField<unknown, unknown>): boolean =>
  resolve === undefined || resolve === defaultFieldResolver;

/** Undefined where a variable decides them, or where they are wrong, which every execution then says. */
function constantArguments(
  definition: GraphQLField<unknown, unknown>,
  node: FieldNode,
): Readonly<Record<string, unknown>> | undefined {
  if (definition.args.length === 0) return NO_ARGUMENTS;
  let hasVariable = false;
  for (const argument of node.arguments ?? []) {
    visit(argument.value, {
      Variable() {
        hasVariable = true;
      },
    });
  }
  if (hasVariable) return undefined;
  try {
    return getArgumentValues(definition, node);
  } catch {
    return undefined;
  }
}
