import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionNode,
} from 'graphql';

/**
 * Looks ahead: the arguments of the field at `path` below the field being resolved, or null where the caller did
 * not ask for it. Where it is asked for more than once (under aliases), those of the first.
 */
export function selectedArguments(
  info: GraphQLResolveInfo,
  path: readonly string[],
): Record<string, unknown> | null {
  const type = getNamedType(info.returnType);
  return isObjectType(type) ? find(info, type, info.fieldNodes, path) : null;
}

function find(
  info: GraphQLResolveInfo,
  type: GraphQLObjectType,
  parents: readonly FieldNode[],
  [name, ...rest]: readonly string[],
): Record<string, unknown> | null {
  if (name === undefined) return null;
  const definition = type.getFields()[name];
  const nodes = parents
    .flatMap((node) => fieldsOf(info, node.selectionSet?.selections ?? []))
    .filter((node) => node.name.value === name);
  const [first] = nodes;
  if (definition === undefined || first === undefined) return null;
  if (rest.length === 0) return getArgumentValues(definition, first, info.variableValues);
  const below = getNamedType(definition.type);
  return isObjectType(below) ? find(info, below, nodes, rest) : null;
}

/** The fields of a selection set, fragments spread out and skipped ones left out. */
function fieldsOf(info: GraphQLResolveInfo, selections: readonly SelectionNode[]): FieldNode[] {
  return selections
    .filter((node) => isIncluded(info, node))
    .flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : info.fragments[node.name.value];
      return fieldsOf(info, fragment?.selectionSet.selections ?? []);
    });
}

function isIncluded({ variableValues }: GraphQLResolveInfo, node: SelectionNode): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, node, variableValues);
  const include = getDirectiveValues(GraphQLIncludeDirective, node, variableValues);
  return skip?.if !== true && include?.if !== false;
}
