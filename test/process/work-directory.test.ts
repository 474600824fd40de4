import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeWorkDirectory, sweepWorkDirectories } from '../../src/work-directory.ts';
import { temporaryDirectory } from './run.ts';

test('work directories that were left more than a day ago are removed, and nothing else', async () => {
  const place = temporaryDirectory();
  vi.stubEnv('TMPDIR', place);
  onTestFinished(() => void vi.unstubAllEnvs());
  const [abandoned, inUse] = [await makeWorkDirectory(), await makeWorkDirectory()];
  writeFileSync(join(abandoned, 'contents'), 'half an upload');
  const foreign = join(place, 'somebody-else');
  writeFileSync(foreign, '');
  const longAgo = new Date(Date.now() - 25 * 60 * 60_000);
  for (const path of [abandoned, foreign]) utimesSync(path, longAgo, longAgo);
  await sweepWorkDirectories();
  expect([abandoned, inUse, foreign].map((path) => existsSync(path))).toEqual([false, true, true]);
});
