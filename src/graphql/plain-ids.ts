import { type GraphQLSchema, isObjectType } from 'graphql';

/**
 * Reads the ids of nodes from their rows, where they are the texts that callers see. The relay plugin's resolver would
 * await each of them twice, to encode it: half the work of a list (bench/README.md).
 */
export function withPlainIds(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || !type.getInterfaces().some(({ name }) => name === 'Node')) continue;
    const { id } = type.getFields();
    if (id !== undefined) delete id.resolve;
  }
  return schema;
}
