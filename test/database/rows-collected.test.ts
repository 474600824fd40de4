import { expect, test } from 'vitest';
import { run } from '../process/run.ts';
import { MIB } from '../support/bytes-alive.ts';
import { emptyPostgres } from '../support/databases.ts';
import { YOUNG_SPACE } from '../support/young-space.ts';

// What once survives is copied twice and fills the heap until a full collection: a third of all rows, when it was so.
test('rows are gone once they are read, without a full collection of the heap', async () => {
  const environment = { DATABASE_URL: await emptyPostgres() };
  const { stdout, stderr } = await run('test/database/kept-of-rows.ts', environment, YOUNG_SPACE);
  expect(stderr).toBe('');
  expect(Number(stdout)).toBeLessThan(16 * MIB);
});
