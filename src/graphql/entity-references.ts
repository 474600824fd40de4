import { type GraphQLSchema, isUnionType } from 'graphql';
import { refusal } from './refusal.ts';

/**
 * Answers a representation that names no entity with an error in its own place (`_entities`, Apollo Federation subgraph
 * specification), and the others as usual: the library takes it for a fault of the service, and drops them all.
 */
export function withCheckedReferences(schema: GraphQLSchema): GraphQLSchema {
  const field = schema.getQueryType()?.getFields()._entities;
  const union = schema.getType('_Entity');
  const resolve = field?.resolve;
  if (field === undefined || resolve === undefined || !isUnionType(union)) return schema;
  const names = new Set<unknown>(union.getTypes().map(({ name }) => name));
  const isReference = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    '__typename' in value &&
    names.has(value.__typename) &&
    'id' in value &&
    typeof value.id === 'string';
  field.resolve = (source, args, context, info) =>
    args.representations.map((representation: unknown) => {
      if (isReference(representation)) {
        // The library maps them one by one, and at once; its type says `unknown`.
        const [entity] = resolve(
          source,
          { representations: [representation] },
          context,
          info,
        ) as unknown[];
        return entity;
      }
      const wanted = [...names].join(' or ');
      return refusal('bad_request', `A representation is { __typename: ${wanted}, id: "…" }.`);
    });
  return schema;
}
