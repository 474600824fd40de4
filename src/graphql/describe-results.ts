import { type GraphQLSchema, isUnionType } from 'graphql';

/**
 * Lists under each `…Result` union what its members mean, in their own words: whoever reads about a mutation sees
 * when each outcome occurs and what to do next, without opening every type.
 */
export function describeResults(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isUnionType(type) || !type.name.endsWith('Result')) continue;
    const members = type.getTypes().map(({ name, description }) => `- ${name}: ${description}`);
    type.description = [type.description, '', ...members].join('\n');
  }
  return schema;
}
