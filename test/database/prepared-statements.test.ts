import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { createDatabase } from '../support/databases.ts';

test('statements are prepared, but not without end: later ones are answered all the same', async () => {
  const url = await createDatabase();
  const database = await openDatabase({ url, dataDirectory: '/nowhere' });
  onTestFinished(() => database.close());
  // One after the other, and so on one connection.
  for (let number = 0; number < 600; number += 1) {
    const rows = await database.query(`select $1::int as n${number}`, [number]);
    expect(rows).toEqual([{ [`n${number}`]: number }]);
  }
  const [row] = await database.query<{ count: number }>(
    'select count(*)::int as count from pg_prepared_statements',
    [],
  );
  expect(row?.count).toBeGreaterThan(100);
  expect(row?.count).toBeLessThan(600);
});
