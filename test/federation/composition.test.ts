import {
  buildSchema,
  type FieldDefinitionNode,
  type GraphQLObjectType,
  isInputObjectType,
  isUnionType,
  Kind,
  parse,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { printSchema, schema } from '../../src/graphql/schema.ts';
import { neighbourSdl } from '../support/neighbour.ts';
import { compose, composers } from '../support/supergraph.ts';

test.each(composers)('composes with a neighbour that has types of the same names, by %s', (by) => {
  const supergraph = buildSchema(compose(by), { assumeValid: true });
  const fieldsOf = (name: string) =>
    Object.keys((supergraph.getType(name) as GraphQLObjectType).getFields());
  expect(fieldsOf('AgentRole')).toEqual(expect.arrayContaining(['packs', 'runs']));
  expect(fieldsOf('Pack')).toEqual(expect.arrayContaining(['deletionPreview', 'runCount']));
  expect(fieldsOf('NotFound')).toEqual(['code', 'message', 'requestId', 'details']);
  const result = supergraph.getType('DeletePackResult');
  expect(isUnionType(result) && result.getTypes().map(({ name }) => name)).toEqual(
    expect.arrayContaining(['DeletedPack', 'PackInUse', 'NotFound', 'RegistryCleanupFailed']),
  );
});

test.each(composers)('a neighbour that keeps NotFound to itself is told so, by %s', (by) => {
  const unshared = neighbourSdl.replace(
    'NotFound implements Error @shareable',
    'NotFound implements Error',
  );
  expect(() => compose(by, unshared)).toThrow(/non-shareable|shareable/i);
});

describe.each(composers)('what README tells neighbours of names is so, by %s', (by) => {
  const beside = (sdl: string) => compose(by, `${neighbourSdl}\n${sdl}`);

  test.each([
    ['our other entities', 'type Org @key(fields: "id") { id: ID! seats: Int }'],
    ['keys', 'type ApiKey @key(fields: "id", resolvable: false) { id: ID! }'],
    [
      'events',
      'extend type Run { event: AuditEvent } type AuditEvent @key(fields: "id") { id: ID! }',
    ],
    [
      'an enum that is asked with, repeated',
      `extend type Run { environment: RoleEnvironment }
       enum RoleEnvironment { DEVELOPMENT STAGING PRODUCTION }`,
    ],
    ['values of an enum that is only answered', 'enum ImageDisposition { LOST }'],
    ['scalars', 'scalar Long scalar DateTime extend type Run { bytes: Long at: DateTime }'],
  ])('it may have %s', (_what, sdl) => {
    expect(beside(sdl)).toContain('type Pack');
  });

  test.each([
    ['Query.node', 'extend type Query { node(id: ID!): Node }'],
    ['Query.nodes', 'extend type Query { nodes(ids: [ID!]!): [Node]! }'],
    ['a root field', 'extend type Query { viewer: Run! }'],
    ['a type', 'extend type Run { gone: DeletedPack } type DeletedPack { name: String! }'],
    [
      'some values of an enum that is asked with',
      'extend type Run { environment: RoleEnvironment } enum RoleEnvironment { DEVELOPMENT }',
    ],
  ])('it is told not to have %s', (_what, sdl) => {
    expect(() => beside(sdl)).toThrow();
  });

  test('an input of the same name takes fields from ours without a word', () => {
    const { PackFilter } = buildSchema(
      beside(
        'input PackFilter { nameContains: String } extend type Query { y(f: PackFilter): Int }',
      ),
      { assumeValid: true },
    ).getTypeMap();
    expect(isInputObjectType(PackFilter) && Object.keys(PackFilter.getFields())).toEqual([
      'nameContains',
    ]);
  });
});

test.each(composers)(
  'every mutation, and each query that needs one, tells the router its scope, by %s',
  (by) => {
    const fields = rootFieldsOf(compose(by));
    const ours = Object.keys(schema.getMutationType()?.getFields() ?? {});
    expect(ours.length).toBeGreaterThan(5);
    const unguarded = [...ours, 'apiKeys', 'auditEvents'].filter(
      (name) => !fields.some((field) => field.name.value === name && hasScopes(field)),
    );
    expect(unguarded).toEqual([]);
  },
);

const rootFieldsOf = (sdl: string): readonly FieldDefinitionNode[] =>
  parse(sdl).definitions.flatMap((node) =>
    node.kind === Kind.OBJECT_TYPE_DEFINITION && /^(?:Query|Mutation)$/.test(node.name.value)
      ? (node.fields ?? [])
      : [],
  );

const hasScopes = ({ directives = [] }: FieldDefinitionNode) =>
  directives.some(({ name }) => name.value === 'requiresScopes');

test('the subgraph says which of its types others may have as well', () => {
  const sdl = printSchema();
  const shareable = [...sdl.matchAll(/^type (\w+)[^{]*@shareable/gm)].map(([, name]) => name);
  expect(shareable).toEqual(
    expect.arrayContaining([
      'AgentRoleConnection',
      'AgentRoleEdge',
      'FieldProblem',
      'NameTaken',
      'NotFound',
      'PackConnection',
      'PackEdge',
      'PageInfo',
      'ValidationFailed',
    ]),
  );
  expect(shareable).not.toContain('PackInUse');
});
