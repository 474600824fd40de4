/** After each test file: no statement of it went to a tenant's table without its org. */
import { afterAll, expect } from 'vitest';
import { endFile } from './file-end.ts';
import { takeStatements, violatesTenancy } from './statements.ts';

afterAll(async () => {
  await endFile();
  expect(takeStatements().filter(violatesTenancy), 'statements without the org predicate').toEqual(
    [],
  );
});
