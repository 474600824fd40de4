/** The schema: the builder, and every module that adds to it. */
import './scalars.ts';
import './problems/problem.graphql.ts';
import './packs/pack.graphql.ts';
import './packs/pack-file.graphql.ts';
import './packs/pack-mutations.graphql.ts';
import './packs/revision-mutations.graphql.ts';
import './packs/pack-events.graphql.ts';
import './roles/role.graphql.ts';
import './roles/role-events.graphql.ts';
import './roles/role-mutations.graphql.ts';
import './roles/detach-from-roles.graphql.ts';
import './audit/audit.graphql.ts';
import './keys/key.graphql.ts';
import './keys/key-mutations.graphql.ts';
import { printSubgraphSchema } from '@apollo/subgraph';
import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import { describeResults } from './describe-results.ts';
import { withCheckedReferences } from './entity-references.ts';
import { withCountedTexts } from './limits/counted-texts.ts';
import { withPlainIds } from './plain-ids.ts';

builder.queryType({ description: 'Reading needs no scope but where a field says so.' });
builder.mutationType({
  description: 'Every change answers with its success or with a problem to be read as data.',
});

builder.subscriptionType({
  description:
    'What happens, as it happens: server-sent events (accept: text/event-stream) or multipart (accept: multipart/mixed;subscriptionSpec=1.0).',
});

/** The subgraph: `_entities` and `_service` included. */
export const schema: GraphQLSchema = withCountedTexts(
  withPlainIds(
    withCheckedReferences(
      describeResults(
        builder.toSubGraphSchema({ linkUrl: 'https://specs.apollo.dev/federation/v2.6' }),
      ),
    ),
  ),
);

/** The SDL with its federation directives, as `schema.graphql` holds it. */
export const printSchema = (): string => `${printSubgraphSchema(schema).trim()}\n`;
