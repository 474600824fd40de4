import { printSubgraphSchema } from '@apollo/subgraph';
import {
  EntityType,
  entitiesField,
  entitiesResolver,
  serviceField,
} from '@apollo/subgraph/dist/types.js';
import {
  type GraphQLFieldConfig,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLUnionType,
  isObjectType,
  lexicographicSortSchema,
} from 'graphql';
import { refusal } from './refusal.ts';

/**
 * Adds `_entities` and `_service` to the queries (Apollo Federation subgraph specification). Pothos' own way prints the
 * SDL at the start, which takes longer than making the schema; here it waits until a router asks.
 */
export function subgraphOf(schema: GraphQLSchema): GraphQLSchema {
  const { query, types, ...config } = schema.toConfig();
  if (query == null) throw new Error('the schema has no Query');
  const { fields, ...queryConfig } = query.toConfig();
  const _entities = entitiesAmong(types.filter(isEntity));
  let sdl: string | null = null;
  const _service = {
    ...serviceField,
    resolve: () => {
      sdl ??= printSubgraphSchema(subgraph);
      return { sdl };
    },
  };
  const subgraph = lexicographicSortSchema(
    new GraphQLSchema({
      ...config,
      query: new GraphQLObjectType({ ...queryConfig, fields: { ...fields, _entities, _service } }),
      types: types.filter((type) => type !== query),
    }),
  );
  return subgraph;
}

/** Where `asEntity` of the federation plugin keeps how a type is looked up. */
const isEntity = (type: GraphQLNamedType): type is GraphQLObjectType =>
  isObjectType(type) && type.extensions.apollo !== undefined;

/**
 * Answers a representation that names no entity with an error in its own place, and the others as usual: the library
 * takes it for a fault of the service, and drops them all.
 */
function entitiesAmong(types: readonly GraphQLObjectType[]): GraphQLFieldConfig<unknown, unknown> {
  const names = new Set<unknown>(types.map(({ name }) => name));
  const isReference = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    '__typename' in value &&
    names.has(value.__typename) &&
    'id' in value &&
    typeof value.id === 'string';
  const union = new GraphQLUnionType({ ...EntityType.toConfig(), types });
  return {
    ...entitiesField,
    type: new GraphQLNonNull(new GraphQLList(union)),
    resolve: (_source, { representations }, context, info) =>
      representations.map((representation: unknown) => {
        if (isReference(representation)) {
          const [entity]: unknown[] = entitiesResolver({
            representations: [representation],
            context,
            info,
          });
          return entity;
        }
        const wanted = [...names].join(' or ');
        return refusal('bad_request', `A representation is { __typename: ${wanted}, id: "…" }.`);
      }),
  };
}
