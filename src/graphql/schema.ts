/** The schema: the builder, and every module that adds to it. */
import './scalars.ts';
import './problems/problem.graphql.ts';
import './packs/pack.graphql.ts';
import './packs/pack-queries.graphql.ts';
import './packs/pack-file.graphql.ts';
import './packs/pack-mutations.graphql.ts';
import './packs/revision-mutations.graphql.ts';
import './packs/pack-events.graphql.ts';
import './roles/role.graphql.ts';
import './roles/role-events.graphql.ts';
import './roles/role-mutations.graphql.ts';
import './roles/detach-pack-from-roles.graphql.ts';
import './audit/audit.graphql.ts';
import './keys/key.graphql.ts';
import './viewer.graphql.ts';
import './keys/key-mutations.graphql.ts';
import { printSubgraphSchema } from '@apollo/subgraph';
import { GraphQLObjectType, GraphQLSchema, printSchema as printPlainSchema } from 'graphql';
import { builder } from './builder.ts';
import { subgraphOf } from './subgraph.ts';

builder.queryType({ description: 'Reading needs no scope except where a field says so.' });
builder.mutationType({
  description: 'Every change answers with its success or with a problem, both as data.',
});

builder.subscriptionType({
  description:
    'What happens, as it happens: server-sent events (accept: text/event-stream) or multipart (accept: multipart/mixed;subscriptionSpec=1.0).',
});

/** The subgraph: `_entities` and `_service` included. */
export const schema: GraphQLSchema = subgraphOf(
  builder.toSchema({
    extensions: {
      directives: [
        {
          name: 'link',
          args: {
            url: 'https://specs.apollo.dev/federation/v2.6',
            import: ['@key', '@requiresScopes', '@shareable'],
          },
        },
      ],
    },
  }),
);

schema.description =
  'Content packs of an agent platform, the agent roles that hold them, and their deletion.';

/** The SDL with its federation directives, as `schema.graphql` holds it. */
export const printSchema = (): string => `${printSubgraphSchema(schema).trim()}\n`;

/** The API alone, as `api.graphql` holds it: what clients' tools read, which stop at federation's directives. */
export function printApi(): string {
  const config = schema.toConfig();
  const query = config.query?.toConfig();
  if (query === undefined) throw new Error('the schema has no Query');
  const { _entities, _service, ...fields } = query.fields;
  const api = new GraphQLSchema({
    ...config,
    query: new GraphQLObjectType({ ...query, fields }),
    types: config.types.filter(({ name }) => !/^_|^Query$/.test(name)),
  });
  return `${printPlainSchema(api).trim()}\n`;
}
