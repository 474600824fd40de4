import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { printSchema } from '../../src/graphql/schema.ts';

test('schema.graphql is the schema that is served', () => {
  const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
  expect(committed, 'schema.graphql is out of date: run `npm run schema`').toBe(printSchema());
});
