import { expect, test } from 'vitest';
import { inParallel } from '../../src/registry/in-parallel.ts';

/** Lets a turn of the loop go by, for whatever else may run meanwhile. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('so many are worked on at once, and no more of them are held', async () => {
  let [taken, working, most, done] = [0, 0, 0, 0];
  const items = function* () {
    for (let n = 0; n < 1_000; n++) {
      taken++;
      expect(taken - done).toBeLessThanOrEqual(8);
      yield n;
    }
  };
  const full = Promise.withResolvers<void>();
  await inParallel(items(), 8, async () => {
    most = Math.max(most, ++working);
    // The first ones wait for each other: fewer at once would never end.
    if (working === 8) full.resolve();
    await full.promise;
    await turn();
    working--;
    done++;
  });
  expect({ taken, most, done }).toEqual({ taken: 1_000, most: 8, done: 1_000 });
});

test('what is reached is never ahead of what is not done', async () => {
  const slow = Promise.withResolvers<void>();
  const reached: number[] = [];
  const walk = inParallel(
    [1, 2, 3, 4],
    2,
    async (n) => {
      if (n === 1) await slow.promise;
      if (n === 4) {
        expect(reached).toEqual([]);
        slow.resolve();
      }
    },
    (n) => reached.push(n),
  );
  await walk;
  expect(reached).toEqual([1, 2, 3, 4]);
});

test('after a failure no further one is begun, and what was begun is waited for', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const walk = inParallel([1, 2, 3, 4, 5, 6], 2, async (n) => {
    begun.push(n);
    if (n === 2) throw new Error('broken');
    await turn();
    ended.push(n);
  });
  await expect(walk).rejects.toThrow('broken');
  expect(begun).toEqual([1, 2]);
  expect(ended).toEqual([1]);
});
