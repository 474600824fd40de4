/** Reads 280 MiB of rows, sixteen answers at once, and prints how many bytes V8 has taken for lasting meanwhile. */
import { getHeapSpaceStatistics } from 'node:v8';
import { openDatabase } from '../../src/database/database.ts';

const lasting = () =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ??
  0;

/** All that has ever come to it: a full collection takes garbage away again. */
let taken = 0;
let last = lasting();
const watch = () => {
  const now = lasting();
  taken += Math.max(0, now - last);
  last = now;
};

const database = await openDatabase({ url: process.env.DATABASE_URL ?? '', dataDirectory: '' });
const read = async (times: number) => {
  for (let left = times; left > 0; left -= 1) {
    await database.query(
      `select repeat('a', 900) || number as wide from generate_series(1, $1::int) number`,
      [100],
    );
    watch();
  }
};
const readAtOnce = (times: number) => Promise.all(Array.from({ length: 16 }, () => read(times)));
await readAtOnce(20);
taken = 0;
await readAtOnce(200);
process.stdout.write(`${taken}\n`);
await database.close();
