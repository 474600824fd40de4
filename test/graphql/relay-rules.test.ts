/** The exceptions that eslint.config.js makes for the whole schema, held to the places they are meant for. */
import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLObjectType,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { expect, test } from 'vitest';

const api = buildSchema(readFileSync('api.graphql', 'utf8'));
const types = Object.values(api.getTypeMap()).filter(isObjectType);
const fieldsOf = (type: GraphQLObjectType) => Object.values(type.getFields());

test('lists of the root page both ways, those within an item forwards', () => {
  const lists = types.flatMap((type) =>
    fieldsOf(type)
      .filter((field) => /Connection!?$/.test(String(field.type)))
      .map(({ name, args }) => ({ at: `${type.name}.${name}`, args: args.map((arg) => arg.name) })),
  );
  expect(lists.length).toBeGreaterThan(8);
  const lacking = (names: string[]) =>
    lists.filter(({ args }) => !names.every((name) => args.includes(name))).map(({ at }) => at);
  expect(lacking(['first', 'after'])).toEqual([]);
  expect(lacking(['last', 'before']).sort()).toEqual([
    'AgentRole.packs',
    'DeletionPreview.roles',
    'Pack.files',
    'Pack.roles',
    'PackInUse.roles',
  ]);
});

test('edges lead to nodes, but for those to files, which have a path and no id', () => {
  const node = api.getType('Node');
  const ends = types
    .filter(({ name }) => name.endsWith('Edge'))
    .map((edge) => getNamedType(edge.getFields().node?.type));
  expect(ends.length).toBeGreaterThan(4);
  const others = ends.filter(
    (end) => !isObjectType(end) || !isInterfaceType(node) || !end.getInterfaces().includes(node),
  );
  expect(others.map(String)).toEqual(['PackFile']);
});
