/** Relay's rules for the API, by graphql-eslint. Everything else is linted by Biome (biome.json). */
import graphql, { parser } from '@graphql-eslint/eslint-plugin';

const relay = graphql.configs['flat/schema-relay'].rules;

export default [
  {
    files: ['api.graphql'],
    languageOptions: {
      parser,
      parserOptions: { graphQLConfig: { schema: 'api.graphql' } },
    },
    plugins: { '@graphql-eslint': graphql },
    // Which fields and types the exceptions are meant for, test/graphql/relay-rules.test.ts holds to the letter.
    rules: {
      ...relay,
      // Lists within an item page forwards only: nobody reads the roles of a pack from their end.
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
      '@graphql-eslint/relay-edge-types': [
        'error',
        {
          // Connections have `nodes` beside `edges`, and there are lists that nobody pages: scopes, problems of fields.
          listTypeCanWrapOnlyEdgeType: false,
          // A file of a pack is known by its path there and has no id of its own, so it is no Node.
          shouldImplementNode: false,
        },
      ],
    },
  },
];
