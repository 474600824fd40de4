import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Principal } from '../../src/identity/caller.ts';
import { Standing } from '../../src/identity/standing.ts';
import { createLog } from '../../src/log.ts';
import { keyIds, newUuid, orgIds } from '../../src/model/ids.ts';

const log = createLog('error', () => ({}));
const never = () => new Promise<boolean>(() => undefined);

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

function standing(principal: Principal, isStillCaller: () => Promise<boolean>) {
  const caller = {
    orgId: orgIds.of(newUuid()),
    orgSlug: 'org',
    scopes: new Set<never>(),
    principal,
    requestId: 'request',
  };
  const onLost = vi.fn(() => one[Symbol.dispose]());
  const one = new Standing(caller, isStillCaller, log, onLost);
  return { one, onLost };
}

const user = (seconds: number): Principal => ({
  kind: 'user',
  userId: 'user',
  expiresAt: Date.now() + seconds * 1_000,
});
const key: Principal = { kind: 'api_key', keyId: keyIds.of(newUuid()) };

describe('the standing of a caller whose stream stays open', () => {
  test('ends with his session by the clock, though nobody answers the check', async () => {
    const { onLost } = standing(user(100), never);
    await vi.advanceTimersByTimeAsync(99_999);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(onLost).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not lost while it cannot be told, and no longer than until his session ends', async () => {
    const { onLost } = standing(user(300), () => Promise.reject(new Error('no keys')));
    await vi.advanceTimersByTimeAsync(299_000);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onLost).toHaveBeenCalledOnce();
  });

  test('is lost at the check that finds his key gone', async () => {
    let isValid = true;
    const { onLost } = standing(key, async () => isValid);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(onLost).not.toHaveBeenCalled();
    isValid = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(onLost).toHaveBeenCalledOnce();
  });

  test.each([Number.MAX_SAFE_INTEGER, 1e300])('a session may end in %d seconds', async (far) => {
    const { one, onLost } = standing(user(far), async () => true);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(onLost).not.toHaveBeenCalled();
    one[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });
});
