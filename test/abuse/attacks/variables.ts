import type { Attack } from '../attack.ts';
import { repeat } from '../repeat.ts';

const FILTERED = 'query ($filter: PackFilter) { packs(filter: $filter) { nodes { id } } }';
const keys = (count: number, prefix: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, 1]));

/** Values that are quoted in messages. */
export const variables: readonly Attack[] = [
  {
    name: 'an object with 90,000 unknown fields',
    run: async (target) => [await target.graphql(FILTERED, { filter: keys(90_000, 'k') })],
  },
  {
    name: 'long unknown fields',
    run: async (target) => [
      await target.graphql(FILTERED, { filter: keys(60, 'x'.repeat(15_000)) }),
    ],
  },
  {
    name: 'long ids of packs that are not there',
    run: async (target) => [
      await target.graphql(
        `mutation ($ids: [ID!]!) { ${repeat(20, (at) => `c${at}: createAgentRole(input: { name: "r${at}", packIds: $ids }) { ... on Error { message details } ... on ValidationFailed { fields { path message } } }`)} }`,
        { ids: Array.from({ length: 500 }, () => '\\'.repeat(900)) },
      ),
    ],
  },
  {
    name: 'nested lists',
    run: async (target) => [
      await target.send(
        `{"query":"query ($f: PackFilter) { packs(filter: $f) { nodes { id } } }","variables":{"f":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`,
        { 'content-type': 'application/json' },
      ),
    ],
  },
  {
    name: 'a file that is none',
    run: async (target) => [
      await target.graphql('mutation ($a: File!) { uploadPack(archive: $a) { __typename } }', {
        a: 'x',
      }),
      await target.graphql('mutation { uploadPack(archive: "x") { __typename } }'),
    ],
  },
];
