import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  type InlineFragmentNode,
  isObjectType,
  Kind,
  type SelectionNode,
} from 'graphql';

/** What a caller asked for of the items of a connection, in `nodes` and in `edges`. */
export interface Selection {
  /** The names of the items' fields. */
  readonly fields: ReadonlySet<string>;
  /**
   * A connection among these fields, or null where the caller did not ask for it. Asked for more than once (under
   * aliases), it has the arguments of the first and the fields of all.
   */
  connection(name: string): ConnectionSelection | null;
}

export interface ConnectionSelection {
  readonly args: Record<string, unknown>;
  /** Whether more is asked for than how many items there are on all pages. */
  readonly readsPage: boolean;
  readonly items: Selection;
}

/** The names of the fields that a caller asked for of an object of `type`, from the resolver of a field that is one. */
export const selectedFields = (info: GraphQLResolveInfo, type: string): ReadonlySet<string> =>
  new Set(
    info.fieldNodes.flatMap((node) => fieldsOf(info, node, type)).map(({ name }) => name.value),
  );

/** Looks ahead from the resolver of a connection. */
export function selectedItems(info: GraphQLResolveInfo): Selection {
  const type = getNamedType(info.returnType);
  if (!isObjectType(type)) throw new Error(`${type.name} is no connection`);
  return itemsOf(info, type, info.fieldNodes);
}

function itemsOf(
  info: GraphQLResolveInfo,
  type: GraphQLObjectType,
  parents: readonly FieldNode[],
): Selection {
  const below = parents.flatMap((node) => fieldsOf(info, node));
  const edges = below.filter(named('edges')).flatMap((node) => fieldsOf(info, node));
  const items = [...below.filter(named('nodes')), ...edges.filter(named('node'))];
  const selected = items.flatMap((node) => fieldsOf(info, node));
  return {
    fields: new Set(selected.map(({ name }) => name.value)),
    connection(name) {
      const nodes = selected.filter(named(name));
      const [first] = nodes;
      const itemType = getNamedType(type.getFields().nodes?.type);
      const field = isObjectType(itemType) ? itemType.getFields()[name] : undefined;
      const connectionType = getNamedType(field?.type);
      if (first === undefined || field === undefined || !isObjectType(connectionType)) return null;
      return {
        args: getArgumentValues(field, first, info.variableValues),
        readsPage: nodes
          .flatMap((node) => fieldsOf(info, node))
          .some(({ name: { value } }) => value !== 'totalCount' && value !== '__typename'),
        items: itemsOf(info, connectionType, nodes),
      };
    },
  };
}

const named =
  (name: string) =>
  (node: FieldNode): boolean =>
    node.name.value === name;

/** The fields below a field, fragments spread out and skipped ones left out. */
function fieldsOf(
  info: GraphQLResolveInfo,
  { selectionSet }: Pick<FieldNode, 'selectionSet'>,
  type?: string,
): FieldNode[] {
  return (selectionSet?.selections ?? [])
    .filter((node) => isIncluded(info, node))
    .flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : info.fragments[node.name.value];
      if (fragment === undefined || isOfOther(info, fragment, type)) return [];
      return fieldsOf(info, fragment, type);
    });
}

/** Whether a fragment asks for fields of another object type. */
function isOfOther(
  { schema }: GraphQLResolveInfo,
  { typeCondition }: Pick<InlineFragmentNode, 'typeCondition'>,
  type: string | undefined,
): boolean {
  const condition = typeCondition?.name.value;
  if (type === undefined || condition === undefined || condition === type) return false;
  return isObjectType(schema.getType(condition));
}

function isIncluded({ variableValues }: GraphQLResolveInfo, node: SelectionNode): boolean {
  if (!node.directives?.length) return true;
  const skip = getDirectiveValues(GraphQLSkipDirective, node, variableValues);
  const include = getDirectiveValues(GraphQLIncludeDirective, node, variableValues);
  return skip?.if !== true && include?.if !== false;
}
