/** After each test file: no statement of it went to a tenant's table without its org. */
import { afterAll, expect } from 'vitest';
import { takeStatements, violatesTenancy } from './statements.ts';

afterAll(() => {
  expect(takeStatements().filter(violatesTenancy), 'statements without the org predicate').toEqual(
    [],
  );
});
