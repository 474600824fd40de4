import { expect, test } from 'vitest';
import { installed } from '../support/installed.ts';
import { runFailover } from './run-failover.ts';

// `npm run failover` is the long form; the seed in a failure's message starts the same choices again.
test.skipIf(!installed('docker-registry'))(
  'nothing acknowledged is lost when a standby takes over, however the primary goes',
  { timeout: 600_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const report = await runFailover({ seed, clients: 10, answers: 25 });
    const { lost, violations, steps, onStandby, readsMeanwhile } = report;
    expect({ seed, lost, violations }).toEqual({ seed, lost: [], violations: [] });
    expect(steps.map(({ what }) => what)).toEqual(['killed', 'demoted', 'lost in silence']);
    expect(onStandby).toEqual(['503 read_only,503 read_only']);
    const [answered, sent] = readsMeanwhile;
    expect(answered).toBe(sent);
  },
);
