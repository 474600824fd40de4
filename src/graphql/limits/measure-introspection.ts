/** What introspection answers, counted on the schema itself: its lists are as long as they are. */
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type Amount, nothing, plus } from './amount.ts';
import { maximumOf } from './maxima.ts';

/** `__typename`: no type's name is longer. */
const TYPE_NAME_BYTES = 32;
/** Braces and a comma. */
const ITEM_FRAME_BYTES = 3;

/** The frame of a field or of an item of a list in the answer: quotes, colon, comma, braces. */
export const frameOf = ({ alias, name }: FieldNode): number => (alias ?? name).value.length + 6;

/**
 * Measures what is selected of `value`, one of the schema's own parts: `__schema`, `__type`, or what lies below them.
 * Where there is more of it than any operation may ask for, it stops counting.
 */
export function measureIntrospection(
  schema: GraphQLSchema,
  document: DocumentNode,
  selectionSet: SelectionSetNode,
  type: GraphQLObjectType,
  value: unknown,
): Amount {
  // What one set of fields answers of one part of the schema, however often either is met.
  const known = new Map<SelectionSetNode, Map<unknown, Amount>>();
  // Each is met at least once in the answer, so that what is counted here is never more than what is answered.
  let left = maximumOf('cost');

  function select(set: SelectionSetNode, of: GraphQLObjectType, part: unknown): Amount {
    const ofSet = known.get(set) ?? new Map<unknown, Amount>();
    known.set(set, ofSet);
    const before = ofSet.get(part);
    if (before !== undefined) return before;
    // A fragment that contains itself is refused later; here it counts as empty inside.
    ofSet.set(part, nothing);
    let sum = nothing;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) sum = plus(sum, field(selection, of, part));
      else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? selection.selectionSet
            : fragment(selection.name.value);
        if (inner !== undefined) sum = plus(sum, select(inner, of, part));
      }
    }
    ofSet.set(part, sum);
    return sum;
  }

  function fragment(name: string): SelectionSetNode | undefined {
    const definition = document.definitions.find(
      (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name,
    );
    return definition?.kind === Kind.FRAGMENT_DEFINITION ? definition.selectionSet : undefined;
  }

  function field(node: FieldNode, of: GraphQLObjectType, part: unknown): Amount {
    left -= 1;
    const one = { ...nothing, fields: 1, bytes: frameOf(node) };
    if (left < 0) return { ...one, fields: maximumOf('cost') + 1 };
    const definition = of.getFields()[node.name.value];
    if (definition === undefined) return { ...one, bytes: one.bytes + TYPE_NAME_BYTES };
    // GraphQL's own resolvers of introspection look at nothing else of the request.
    const info = { schema } as GraphQLResolveInfo;
    const found: unknown = definition.resolve?.(part, { includeDeprecated: true }, null, info);
    const below = getNamedType(definition.type);
    if (node.selectionSet === undefined || !isObjectType(below)) {
      return { ...one, bytes: one.bytes + JSON.stringify(found ?? null).length };
    }
    let sum: Amount = one;
    for (const item of Array.isArray(found) ? found : found == null ? [] : [found]) {
      sum = plus(sum, { ...nothing, bytes: ITEM_FRAME_BYTES });
      sum = plus(sum, select(node.selectionSet, below, item));
    }
    return sum;
  }

  return select(selectionSet, type, value);
}
