import { afterEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from '../../../src/registry/distribution/deadline.ts';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import { retryAfterSeconds } from '../../../src/registry/distribution/retry-after.ts';
import type { RegistryCall } from '../../../src/registry/registry.ts';
import { type Script, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, repository, tag } from './images.ts';

const name = repository('packs/acme/retried');
const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const thing of open.splice(0)) await thing.stop();
});

/** The pauses that are asked for, none of which is made. */
function pausesAskedFor(): number[] {
  const pauses: number[] = [];
  vi.spyOn(Deadline.prototype, 'sleep').mockImplementation(async (milliseconds) => {
    pauses.push(milliseconds);
  });
  return pauses;
}
async function connect(script: Script, deadlineMs = 5_000) {
  const hostile = await startHostileRegistry(script);
  const calls: RegistryCall[] = [];
  const registry = createDistributionRegistry({
    url: hostile.url,
    deadlineMs,
    onCall: (call) => calls.push(call),
  });
  open.push({ stop: () => registry.close() }, hostile);
  return { registry, calls, seen: hostile.seen };
}

const image = imageOf('retried');
const found = { status: 200, body: image.manifest };

describe('trying again', () => {
  it('three failures that may pass, then success: four requests, each reported', async () => {
    const { registry, calls } = await connect((_, number) =>
      number < 4 ? { status: 503 } : found,
    );
    expect(await registry.readManifest(name, tag('v1'))).toMatchObject({ kind: 'found' });
    expect(calls.map(({ status, outcome }) => [status, outcome])).toEqual([
      [503, 'REGISTRY_ERROR'],
      [503, 'REGISTRY_ERROR'],
      [503, 'REGISTRY_ERROR'],
      [200, 'ok'],
    ]);
    expect(calls.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  });

  const HOUR = 3_600;
  // A date comes near while it is on its way, on a busy machine by more than a moment.
  const headers: [string, () => string, number][] = [
    ['seconds', () => `${HOUR}`, HOUR],
    ['a date', () => new Date(Date.now() + HOUR * 1_000).toUTCString(), HOUR / 2],
  ];

  it.each(headers)('Retry-After in %s is waited for', async (_, header, least) => {
    const pauses = pausesAskedFor();
    const { registry } = await connect(
      (_, number) => (number === 1 ? { status: 429, headers: { 'retry-after': header() } } : found),
      2 * HOUR * 1_000,
    );
    expect(await registry.readManifest(name, tag('v1'))).toMatchObject({ kind: 'found' });
    expect(pauses).toHaveLength(1);
    expect(pauses[0]).toBeGreaterThanOrEqual(least * 1_000);
    expect(pauses[0]).toBeLessThanOrEqual(HOUR * 1_000);
  });

  it.each(headers)(
    'Retry-After in %s beyond the deadline ends at once and is passed on',
    async (_, header, least) => {
      const pauses = pausesAskedFor();
      const { registry, seen } = await connect(() => ({
        status: 429,
        headers: { 'retry-after': header() },
      }));
      const outcome = await registry.readManifest(name, tag('v1'));
      expect(outcome).toMatchObject({ reason: 'RATE_LIMITED', retryable: true });
      if (outcome.kind !== 'failed') throw new Error('unreachable');
      expect(outcome.retryAfterSeconds).toBeGreaterThanOrEqual(least);
      expect(outcome.retryAfterSeconds).toBeLessThanOrEqual(HOUR);
      expect(pauses).toEqual([]);
      expect(seen).toHaveLength(1);
    },
  );
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 24, 12, 0, 0);
  it.each([
    ['7', 7],
    ['999999999', 86_400],
    ['Tue, 24 Nov 2026 12:01:00 GMT', 60],
    ['Tue, 24 Nov 2026 11:00:00 GMT', undefined],
    ['0', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['30, 30', 30],
    ['5,120', 120],
    ['soon, 7', 7],
    ['Tue, 24 Nov 2026 12:01:00 GMT, Tue, 24 Nov 2026 12:02:00 GMT', 120],
    ['Tuesday, 24-Nov-26 12:01:00 GMT, 30', 60],
    ['Tue, nonsense GMT', undefined],
    [undefined, undefined],
  ])('%s', (header, seconds) => {
    expect(retryAfterSeconds(header, now)).toBe(seconds);
  });
});
