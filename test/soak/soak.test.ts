import { describe, expect, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { installed } from '../support/installed.ts';
import { runSoak } from './run-soak.ts';
import { runUploads } from './run-uploads.ts';

// `npm run soak` is the long form; it counts in megabytes per 50,000 requests what is too little to be seen here.
const MIB = 1024 ** 2;

test('nothing is left behind by requests of all kinds', { timeout: 600_000 }, async () => {
  const requests = 1_200;
  const report = await runSoak({
    seed: Math.floor(Math.random() * 2 ** 31),
    requests,
    looks: 4,
    novelties: false,
    // Connections that clients have left are no leak, and by default stay open for longer than this test takes.
    environment: { DATABASE_URL: await createDatabase(), KEEP_ALIVE_MS: '1000' },
  });
  const { seed, wrong, leaks, samples } = report;
  expect({ seed, wrong, leaks }).toEqual({ seed, wrong: [], leaks: [] });
  const [warm, last] = [samples[1], samples.at(-1)];
  // Some kilobytes a request are code that has just been compiled; what a request holds is more.
  const perRequest = ((last?.heap ?? 0) - (warm?.heap ?? 0)) / (requests / 2);
  expect(perRequest).toBeLessThan(10_000);
});

const registries = ['layout', 'docker-registry'] as const;
describe.each(registries)('large uploads to %s, eight at once', (name) => {
  test.skipIf(name !== 'layout' && !installed(name))(
    'are not held in memory, nor left on disk',
    { timeout: 600_000 },
    async () => {
      const registry = name === 'layout' ? null : await startDockerRegistry();
      try {
        const report = await runUploads({
          count: 8,
          mebibytes: 8,
          watch: 'held',
          environment: {
            DATABASE_URL: await createDatabase(),
            ...(registry === null ? {} : { REGISTRY_URL: registry.url.href }),
          },
        });
        const { refused, temporaryFiles, peak, baseline, bytes } = report;
        expect({ refused, temporaryFiles }).toEqual({ refused: [], temporaryFiles: [] });
        expect(bytes).toBeGreaterThan(8 * 8 * MIB);
        expect((peak - baseline) / MIB).toBeLessThan(32);
      } finally {
        await registry?.stop();
      }
    },
  );
});
