import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** Whole processes under load, killed, cut off, attacked: minutes, and the same promises from further away. */
const endurance = [
  'test/{abuse,chaos,failover,soak}/**/*.test.ts',
  'test/process/rolling-restart.test.ts',
];

export default defineConfig({
  resolve: {
    // Pothos and Yoga must share one copy of graphql, or its instanceof checks see "another realm".
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  test: {
    globalSetup: './test/support/global-setup.ts',
    setupFiles: './test/support/statements.ts',
    // Only ends what hangs: machines that are busy with something else are ten times slower than a quiet one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What is waited for takes a moment, and is looked for often; on a busy machine a second is nothing.
    expect: { poll: { interval: 10, timeout: 120_000 } },
    pool: 'forks',
    // One more than there are cores in most places: tests wait for processes, locks and retries.
    maxWorkers: 3,
    isolate: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'promises', include: ['test/**/*.test.ts'], exclude: endurance },
      },
      { extends: true, test: { name: 'endurance', include: endurance } },
    ],
  },
});
