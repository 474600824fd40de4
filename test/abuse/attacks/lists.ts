import type { Attack } from '../attack.ts';
import { repeat } from '../repeat.ts';

const one = (name: string, query: string): Attack => ({
  name,
  run: async (target) => [await target.graphql(query)],
});

/** Little that asks for much. */
export const lists: readonly Attack[] = [
  one(
    'counts within a list',
    '{ a: agentRoles(first: 200) { nodes { packs(first: 200) { totalCount } } } b: agentRoles(first: 200) { nodes { packs(first: 199) { totalCount } } } }',
  ),
  one(
    'pages within a list',
    '{ agentRoles(first: 200) { nodes { packs(first: 145) { pageInfo { hasNextPage } } } } }',
  ),
  one(
    'as many fields as there may be',
    '{ agentRoles(first: 120) { nodes { packs(first: 200) { nodes { id } } } } }',
  ),
  one(
    'capabilities under many names',
    `{ ${repeat(20, (at) => `a${at}: packs(first: 200) { nodes { capabilities } }`)} }`,
  ),
  one(
    'capabilities within a list',
    '{ agentRoles(first: 100) { nodes { packs(first: 200) { nodes { capabilities } } } } }',
  ),
  one(
    'descriptions within a list',
    '{ agentRoles(first: 100) { nodes { packs(first: 200) { nodes { description } } } } }',
  ),
  one('a long name for each item', `{ packs(first: 200) { nodes { ${'x'.repeat(60_000)}: id } } }`),
];
