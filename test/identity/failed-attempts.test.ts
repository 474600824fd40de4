import { expect, test } from 'vitest';
import { FAILURES_PER_ADDRESS, FAILURES_PER_TOKEN } from '../../src/identity/failed-attempts.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

async function ask(gateway: Gateway, token: string, address?: string): Promise<Answered> {
  const request = new Request('http://gateway/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ viewer { org { slug } } }' }),
  });
  const response = await gateway.app.fetch(request, address);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const wrong = (number: number) => `sk_${String(number).padStart(40, 'x')}`;

function expectLimited({ status, headers, body }: Answered): void {
  expect(status).toBe(429);
  expect(body.errors[0].extensions.code).toBe('RATE_LIMITED');
  const seconds = Number(headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
}

test('one token that keeps failing is told to slow down, on both surfaces; others are not', async () => {
  const gateway = await startGateway({ fresh: true });
  for (let attempt = 0; attempt < FAILURES_PER_TOKEN; attempt++) {
    expect((await ask(gateway, wrong(1))).status).toBe(401);
  }
  expectLimited(await ask(gateway, wrong(1)));
  const rest = await gateway.rest('GET', '/v1/packs', { key: wrong(1) });
  expect(rest.status).toBe(429);
  expect(rest.body.error.code).toBe('rate_limited');
  expect(Number(rest.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await ask(gateway, wrong(2))).status).toBe(401);
  expect((await ask(gateway, OWNER_KEY)).status).toBe(200);
});

test('an address that tries many tokens is told to slow down, and a valid key from there works on', async () => {
  const gateway = await startGateway({ fresh: true });
  for (let attempt = 0; attempt < FAILURES_PER_ADDRESS; attempt++) {
    expect((await ask(gateway, wrong(attempt), '192.0.2.1')).status).toBe(401);
  }
  expectLimited(await ask(gateway, wrong(-1), '192.0.2.1'));
  expect((await ask(gateway, wrong(-2), '192.0.2.2')).status).toBe(401);
  expect((await ask(gateway, OWNER_KEY, '192.0.2.1')).status).toBe(200);
});

test('the right to use a key is not spent by using it', async () => {
  const gateway = await startGateway({ fresh: true });
  for (let attempt = 0; attempt <= FAILURES_PER_TOKEN; attempt++) {
    expect((await ask(gateway, OWNER_KEY, '192.0.2.1')).status).toBe(200);
  }
});
