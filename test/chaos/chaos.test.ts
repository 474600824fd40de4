import { expect, test } from 'vitest';
import { installed } from '../support/installed.ts';
import { runChaos } from './run-chaos.ts';

// `npm run chaos` is the long form; the seed in a failure's message starts the same choices again.
test.skipIf(!installed('docker-registry'))(
  'nothing acknowledged is lost and no invariant breaks while processes die at random',
  { timeout: 180_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const report = await runChaos({ seed, milliseconds: 15_000, clients: 20 });
    const { lost, violations } = report;
    expect({ seed, lost, violations }).toEqual({ seed, lost: [], violations: [] });
    expect(report.requests).toBeGreaterThan(50);
    expect(report.faults).toBeGreaterThan(0);
  },
);
