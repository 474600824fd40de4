import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { printApi, printSchema } from '../../src/graphql/schema.ts';

test('schema.graphql is the schema that is served', () => {
  const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
  expect(committed, 'schema.graphql is out of date: run `npm run schema`').toBe(printSchema());
});

test('api.graphql is the same API without federation, and any tool can read it', () => {
  const committed = readFileSync(new URL('../../api.graphql', import.meta.url), 'utf8');
  expect(committed, 'api.graphql is out of date: run `npm run schema`').toBe(printApi());
  // As relay-compiler, genql and the generators for other languages do, without being told to look away.
  const api = buildSchema(committed);
  expect(Object.keys(api.getQueryType()?.getFields() ?? {})).not.toContain('_entities');
  expect(committed).not.toMatch(/@key|@link|@shareable|@requiresScopes|_Service|_Any/);
});
