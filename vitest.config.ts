import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** Whole processes under load, killed, cut off, attacked: minutes, and the same promises from further away. */
const endurance = [
  'test/{abuse,chaos,failover,soak}/**/*.test.ts',
  'test/process/rolling-restart.test.ts',
];

/** Tried by `npm test`, in a few rounds or moments or on the usual databases and registries; swept with the endurance. */
const swept = [
  'audit/partitions',
  'packs/{archive-hostile,clone-pack,create-pack-from-image,delete-pack,deletion-preview,pack-files,pack-revisions}',
  'packs/{replace-pack-image,deletion-crash,deletion-failure,deletion-race,hostile-input,revision-crash}',
  'database/{odd-servers,session}',
  'graphql/{cost-generated,execution,streams-apart,subscriptions}',
  'process/{bad-configuration,migrate,start-refused}',
  'registry/layout/{flat,many-processes}',
  'rest/{download-memory,fuzz}',
  'roles/detach-pack-from-roles',
  'security/cross-org-{graphql,reading,rest}',
].map((files) => `test/${files}.test.ts`);

export default defineConfig({
  resolve: {
    // Pothos and Yoga must share one copy of graphql, or its instanceof checks see "another realm".
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  test: {
    globalSetup: './test/support/global-setup.ts',
    setupFiles: './test/support/tenancy.ts',
    // Only ends what hangs: machines that are busy with something else are ten times slower than a quiet one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What is waited for takes a moment, and is looked for often; on a busy machine a second is nothing.
    expect: { poll: { interval: 10, timeout: 120_000 } },
    pool: 'forks',
    // More than there are cores in most places: tests wait for processes, locks and retries. A sixth gained nothing.
    maxWorkers: 5,
    isolate: false,
    experimental: { viteModuleRunner: false },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'promises',
          provide: { sweep: false },
          include: ['test/**/*.test.ts'],
          exclude: endurance,
        },
      },
      {
        extends: true,
        test: { name: 'endurance', provide: { sweep: true }, include: [...endurance, ...swept] },
      },
    ],
  },
});
