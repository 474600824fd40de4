import { getHeapSpaceStatistics } from 'node:v8';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { bytesAlive, MIB } from '../support/bytes-alive.ts';
import { emptyPostgres } from '../support/databases.ts';

/** What V8 has taken for lasting, garbage included. */
const bytesKept = () =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ??
  0;

// What once survives is copied twice and fills the heap until a full collection: a third of all rows, when it was so.
test('rows are gone once they are read, without a full collection of the heap', async () => {
  const database = await openDatabase({ url: await emptyPostgres(), dataDirectory: '' });
  onTestFinished(() => database.close());
  const read = async (times: number) => {
    for (let left = times; left > 0; left -= 1) {
      await database.query(
        `select repeat('a', 900) || number as wide from generate_series(1, $1::int) number`,
        [100],
      );
    }
  };
  const readAtOnce = (times: number) => Promise.all(Array.from({ length: 16 }, () => read(times)));
  await read(50);
  bytesAlive();
  // A full collection leaves V8 a young space that is too small for sixteen answers; it grows with the first.
  await readAtOnce(20);
  const before = bytesKept();
  await readAtOnce(200);
  expect(bytesKept() - before).toBeLessThan(16 * MIB);
});
