/** `npm run abuse` measures time and memory as well, which needs a quiet machine. */
import { expect, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { runAbuse } from './run-abuse.ts';

const LARGEST_ANSWER = 10 * 1024 ** 2;

test('whatever one org sends, the process lives and the other org is answered', {
  // Only ends what hangs.
  timeout: 900_000,
}, async () => {
  const reports = await runAbuse(await createDatabase());
  for (const { name, replies, noticed } of reports) {
    expect({ name, noticed }).toEqual({ name, noticed: [] });
    for (const { status, bytes } of replies) {
      expect({ name, status: status < 500 }).toEqual({ name, status: true });
      expect(bytes, name).toBeLessThan(LARGEST_ANSWER);
    }
  }
});
