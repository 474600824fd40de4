import { expect, test } from 'vitest';
import {
  FAILURES_PER_ADDRESS,
  FAILURES_PER_TOKEN,
  FailedAttempts,
  MOST_REMEMBERED,
} from '../../src/identity/failed-attempts.ts';
import { networkOf } from '../../src/identity/network-of.ts';
import { hashOf } from '../../src/identity/secret.ts';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { rawRequest, sendRaw } from './raw-http.ts';

const wrong = (at: number) => `sk_${String(at).padStart(40, 'x')}`;

/** Whether one more failure of this token from this address is still answered as a failure. */
function fails(attempts: FailedAttempts, token: string, address: string): boolean {
  try {
    attempts.admit(hashOf(token));
    attempts.failed(hashOf(token), address);
    return true;
  } catch {
    return false;
  }
}

const failedTimes = (attempts: FailedAttempts, times: number, address: (at: number) => string) => {
  let count = 0;
  for (let at = 0; at < times; at++) count += fails(attempts, wrong(at), address(at)) ? 1 : 0;
  return count;
};

test('both surfaces tell an address over its limit when to come back, and a good key behind it works on', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const origin = await listening(gateway);
  const body = JSON.stringify({ query: '{ viewer { org { slug } } }' });
  const graphql = (key: string) =>
    rawRequest(
      'POST /graphql',
      [`authorization: Bearer ${key}`, 'content-type: application/json'],
      body,
    );
  const rest = (key: string) => rawRequest('GET /v1/packs', [`authorization: Bearer ${key}`]);
  for (let at = 0; at < FAILURES_PER_ADDRESS; at++) {
    const { status } = await sendRaw(origin, (at % 2 === 0 ? graphql : rest)(wrong(at)));
    expect(status).toBe(401);
  }
  for (const [request, code] of [
    [graphql, 'RATE_LIMITED'],
    [rest, 'rate_limited'],
  ] as const) {
    const limited = await sendRaw(origin, request(wrong(-1)));
    expect(limited.status).toBe(429);
    expect(limited.headers).toMatch(/^retry-after: (?:[1-9]|[1-5]\d|60)\r?$/im);
    expect(limited.body).toContain(`"code":"${code}"`);
    expect((await sendRaw(origin, request(OWNER_KEY))).status).toBe(200);
  }
});

test('a flood of made-up tokens does not make us forget the address that it comes from', () => {
  const attempts = new FailedAttempts();
  expect(failedTimes(attempts, 2 * MOST_REMEMBERED, () => '192.0.2.1')).toBe(FAILURES_PER_ADDRESS);
});

test('however many addresses and tokens fail, only so many are remembered', () => {
  const attempts = new FailedAttempts();
  const old = '192.0.2.1';
  for (let at = 0; at < FAILURES_PER_TOKEN; at++) fails(attempts, wrong(-1), '192.0.2.2');
  failedTimes(attempts, FAILURES_PER_ADDRESS, () => old);
  expect(fails(attempts, wrong(-1), '192.0.2.3')).toBe(false);
  expect(fails(attempts, wrong(-2), old)).toBe(false);
  const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  expect(failedTimes(attempts, MOST_REMEMBERED + 1_000, address)).toBe(MOST_REMEMBERED + 1_000);
  // Forgotten, which is the price of a memory that does not grow.
  expect(fails(attempts, wrong(-1), '192.0.2.3')).toBe(true);
  expect(fails(attempts, wrong(-2), old)).toBe(true);
});

test('all addresses of an IPv6 network count as one, and IPv4 in its IPv6 form as itself', () => {
  const attempts = new FailedAttempts();
  const host = (at: number) => `2001:db8:0:1:${(at + 1).toString(16)}::${at.toString(16)}`;
  expect(failedTimes(attempts, 2 * FAILURES_PER_ADDRESS, host)).toBe(FAILURES_PER_ADDRESS);
  expect(fails(attempts, wrong(-1), '2001:db8:0:2::1')).toBe(true);
  expect(networkOf('2001:DB8::1')).toBe('2001:db8:0:0::/64');
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
  expect(networkOf('1:2:3:4:5:6:7:8')).toBe('1:2:3:4::/64');
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
});
