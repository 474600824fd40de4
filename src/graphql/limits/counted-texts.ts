import { defaultFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { Context } from '../context.ts';
import { priceOf } from './price.ts';

/** Counts what can be long as it is answered, each time that it is: aliases multiply it (`countedText`). */
export function withCountedTexts(schema: GraphQLSchema): GraphQLSchema {
  const counted = (value: unknown, { loaders }: Context) => {
    if (value != null) loaders.allowance.answer(value);
    return value;
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (priceOf(field).counted === undefined) continue;
      const { resolve = defaultFieldResolver } = field;
      field.resolve = (source, args, context: Context, info) => {
        const value: unknown = resolve(source, args, context, info);
        return value instanceof Promise
          ? value.then((settled) => counted(settled, context))
          : counted(value, context);
      };
    }
  }
  return schema;
}
