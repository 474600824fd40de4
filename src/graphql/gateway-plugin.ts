/** What every type and field of the schema has in common, as a plugin of Pothos. */
import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type SchemaTypes,
} from '@pothos/core';
import { type GraphQLFieldResolver, type GraphQLSchema, isObjectType, isUnionType } from 'graphql';
import type { Context } from './context.ts';
import type { Price } from './limits/price.ts';

const gatewayPlugin = 'packGateway' as const;
export default gatewayPlugin;

declare global {
  // How a plugin tells Pothos of itself.
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      packGateway: GatewayPlugin<Types>;
    }
  }
}

type Resolver<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object>;

export class GatewayPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  /**
   * Counts what can be long as it is answered, each time that it is: aliases multiply it (`countedText`). Notes the
   * outcome of each mutation in the request's record, for the log and the metrics.
   */
  override wrapResolve(
    resolve: Resolver<Types>,
    { extensions, kind }: PothosOutputFieldConfig<Types>,
  ): Resolver<Types> {
    // As `priced` has set it: there is no schema yet, whose fields `priceOf` reads.
    const price = extensions?.price as Price | undefined;
    if (kind === 'Mutation') {
      return seeing(resolve, (outcome, { record }) => record.outcomes.push(kindOf(outcome)));
    }
    if (price?.counted === undefined) return resolve;
    return seeing(resolve, (value, { loaders }) => {
      if (value != null) loaders.allowance.answer(value);
    });
  }

  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    for (const type of Object.values(schema.getTypeMap())) {
      if (isUnionType(type) && type.name.endsWith('Result')) {
        // What its members mean, in their own words: when each outcome occurs and what to do next.
        const members = type
          .getTypes()
          .toSorted((one, other) => one.name.localeCompare(other.name))
          .map(({ name, description }) => `- ${name}: ${description}`);
        type.description = [type.description, '', ...members].join('\n');
      }
      if (isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node')) {
        // A row's id is the text that callers see. The relay plugin's resolver would await each of them twice, to
        // encode it: half the work of a list (bench/README.md).
        const { id } = type.getFields();
        if (id !== undefined) delete id.resolve;
      }
    }
    return schema;
  }
}

/** Lets a function see what a field resolves to. */
function seeing<Types extends SchemaTypes>(
  resolve: Resolver<Types>,
  see: (value: unknown, context: Context) => void,
): Resolver<Types> {
  const seen = (value: unknown, context: Types['Context']): unknown => {
    // Pothos leaves open what context its schema has; the only builder with this plugin has ours.
    see(value, context as Context);
    return value;
  };
  return (source, args, context, info) => {
    const value: unknown = resolve(source, args, context, info);
    return value instanceof Promise
      ? value.then((settled) => seen(settled, context))
      : seen(value, context);
  };
}

/** Every mutation resolves to an outcome (`outcomeUnion`). */
const kindOf = (outcome: unknown): string => (outcome as { readonly kind: string }).kind;

SchemaBuilder.registerPlugin(gatewayPlugin, GatewayPlugin);
