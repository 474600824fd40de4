import { defineConfig } from 'vitest/config';

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
    // A second unless said otherwise, which is nothing on a busy machine.
    expect: { poll: { timeout: 120_000 } },
    pool: 'forks',
    maxWorkers: 2,
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'promises', include: ['test/**/*.test.ts'], exclude: endurance },
      },
      { extends: true, test: { name: 'endurance', include: endurance } },
    ],
  },
});
