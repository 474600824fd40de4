import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { lintSchema } from '../support/schema-lint.ts';

test('the schema keeps the rules: described, named alike, outcomes as unions, no nulls in lists', () => {
  expect(lintSchema(schema)).toEqual([]);
});

test.each([
  ['type Query { "x" a: Int }', 'Query has no description'],
  ['"x" type Query { a: Int }', 'Query.a has no description'],
  ['"x" type Query { "x" a(b: Int): Int }', 'Query.a(b) has no description'],
  ['"x" type Query { "x" a: E } "x" enum E { A }', 'E.A has no description'],
  ['"x" type Query { "x" a("x" i: I): Int } "x" input I { f: Int }', 'I.f has no description'],
  ['"x" type Query { "x" a: t } "x" type t { "x" b: Int }', 't is not named in PascalCase'],
  ['"x" type Query { "x" a_b: Int }', 'Query.a_b is not named in camelCase'],
  ['"x" type Query { "x" a("x" b_c: Int): Int }', 'Query.a(b_c) is not named in camelCase'],
  ['"x" type Query { "x" a: E } "x" enum E { "x" aB }', 'E.aB is not named in UPPER_CASE'],
  ['"x" type Query { "x" a: [Int!] }', 'Query.a is a list that may be null'],
  ['"x" type Query { "x" a: [Int]! }', 'Query.a is a list that may hold null'],
  ['"x" type Query { "x" a("x" b: [Int]): Int }', 'Query.a(b) is a list that may hold null'],
  ['"x" type Query { "x" success: Boolean }', 'Query.success: a union tells outcomes, not a flag'],
  [
    '"x" type Query { "x" a: Int @deprecated(reason: "old") }',
    'Query.a is deprecated without saying what to use',
  ],
  ['"x" type Mutation { "x" a: Int! }', 'Mutation.a does not answer a union'],
  [
    '"x" type Mutation { "x" a: R! } "x" union R = B "x" type B { "x" c: Int }',
    'Mutation.a answers R, not AResult',
  ],
  [
    '"x" type Mutation { "x" a: AResult! } "x" union AResult = B | C "x" type B { "x" c: Int } "x" type C { "x" c: Int }',
    'Mutation.a has 2 successes, not one',
  ],
  [
    '"x" type Mutation { "x" a: AResult! } "x" union AResult = B "x" type B { "x" c: Int }',
    'AResult does not say when B occurs',
  ],
])('a schema that breaks a rule is found out: %s', (sdl, complaint) => {
  expect(lintSchema(buildSchema(sdl))).toContain(complaint);
});
