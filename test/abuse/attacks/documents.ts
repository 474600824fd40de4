import type { Attack } from '../attack.ts';
import { repeat } from '../repeat.ts';

/** What is sent to be parsed, validated and kept. */
export const documents: readonly Attack[] = [
  {
    name: 'many long documents',
    run: async (target) => [
      ...(await Promise.all(
        Array.from({ length: 60 }, (_, at) =>
          target.graphql(
            `{ ${repeat(18, (index) => `a${at}x${index}: __typename`)} }`.padEnd(65_000),
          ),
        ),
      )),
      ...(await Promise.all(
        Array.from({ length: 30 }, (_, at) => target.graphql(`{ a${at} ] `.padEnd(900_000, 'x'))),
      )),
    ],
  },
  {
    name: 'one field 1,900 times',
    run: async (target) => [await target.graphql(`{ viewer { org { ${'id '.repeat(1_900)} } } }`)],
  },
  {
    name: 'fragments that meet each other',
    run: async (target) => [
      await target.graphql(
        `{ viewer { ${repeat(150, (at) => `...F${at}`)} } } ${repeat(150, (at) => `fragment F${at} on Viewer { org { id slug } }`)}`,
      ),
    ],
  },
  {
    name: 'fragments that double',
    run: async (target) => [
      await target.graphql(
        `{ ...F0 } ${repeat(60, (at) => `fragment F${at} on Query { viewer { org { id } } ...F${at + 1} ...F${at + 1} }`)} fragment F60 on Query { __typename }`,
      ),
    ],
  },
  {
    name: 'introspection of introspection',
    run: async (target) => [
      await target.graphql(
        `{ ${repeat(19, (at) => `a${at}: __schema { types { name description fields { name description args { name description type { name } } type { ofType { fields { name description } } } } } }`)} }`,
      ),
    ],
  },
  {
    name: 'literals that look like code',
    run: async (target) => {
      const marker = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d';
      const replies = [];
      for (let time = 0; time < 10; time++) {
        replies.push(await target.graphql(`{ pack(id: "${marker}process.exit(1)") { id } }`));
      }
      return replies;
    },
  },
];
