import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../process/run.ts';
import { MIB } from '../support/bytes-alive.ts';
import { startNode } from '../support/start-node.ts';

// A V8 that compiles PGlite's parser a second time takes 600 MiB more while it does so.
test('the embedded database fits into a small server', async () => {
  const busy = startNode('test/support/busy-embedded.ts', [temporaryDirectory()]);
  const most = Number(await text(busy.stdout));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(400 * MIB);
});
