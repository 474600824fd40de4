import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { byNamespace } from '../../src/registry/by-namespace.ts';
import { withCircuitBreaker } from '../../src/registry/circuit-breaker.ts';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import type { CircuitState, Registry } from '../../src/registry/registry.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { startGateway } from '../support/gateway.ts';
import {
  type Reply,
  registryError,
  type Script,
  startHostileRegistry,
} from '../support/hostile-registry.ts';
import { installed } from '../support/installed.ts';
import { imageOf, repository, tag } from './distribution/images.ts';

const image = imageOf('kept away');
const name = repository('packs/acme/breaker');
const DEAD = 'http://127.0.0.1:9';

function guarded(url: URL, failures = 2, halfOpenAfterMs = 300) {
  const states: CircuitState[] = [];
  const connect = () => createDistributionRegistry({ url, deadlineMs: 1_000 });
  const onChange = (state: CircuitState) => void states.push(state);
  const own = withCircuitBreaker(connect(), { failures, halfOpenAfterMs, onChange });
  const registry = byNamespace(own, connect(), 'packs');
  onTestFinished(() => registry.close());
  return { registry, states };
}

const purge = (registry: Registry) => registry.purge(name, image.descriptor.digest);

async function answering(reply: Script) {
  const hostile = await startHostileRegistry(reply);
  onTestFinished(() => hostile.stop());
  return hostile;
}

async function docker(
  options: { directory?: string; port?: number } = {},
): Promise<DockerRegistry> {
  const registry = await startDockerRegistry(options);
  onTestFinished(() => registry.stop());
  return registry;
}

describe.skipIf(!installed('docker-registry'))('a registry that dies and comes back', () => {
  test('is not asked while it is dead, tried once after the pause, and used again', async () => {
    const first = await docker();
    const { registry, states } = guarded(first.url);
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
    await first.kill();
    for (let call = 0; call < 2; call++) {
      expect(await purge(registry)).toMatchObject({ kind: 'failed', reason: 'UNREACHABLE' });
    }
    expect(await purge(registry)).toEqual({
      kind: 'failed',
      reason: 'UNREACHABLE',
      retryable: true,
      retryAfterSeconds: 1,
      detail: expect.stringContaining('not asked'),
    });
    expect(registry.circuit?.()).toBe('open');

    await pause(350);
    expect(await purge(registry)).toMatchObject({ kind: 'failed', reason: 'UNREACHABLE' });
    expect(states).toEqual(['open', 'half_open', 'open']);

    const { directory } = first;
    await docker({ directory, port: Number(first.url.port) });
    await pause(350);
    expect(await purge(registry)).toEqual({ kind: 'purged' });
    expect(states).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
  });
});

describe('what opens the circuit', () => {
  test('answers of 5xx, which then reach the registry no more', async () => {
    const hostile = await answering(() => registryError(503, 'UNAVAILABLE'));
    const { registry } = guarded(hostile.url, 2, 60_000);
    await purge(registry);
    await purge(registry);
    const asked = hostile.seen.length;
    expect(await purge(registry)).toMatchObject({ reason: 'UNREACHABLE', retryAfterSeconds: 60 });
    expect(hostile.seen.length).toBe(asked);
  });

  test.each<[string, Reply]>([
    ['a refusal of our credentials', registryError(401, 'UNAUTHORIZED')],
    ['a request to slow down', { status: 429, headers: { 'retry-after': '30' } }],
    ['a registry without deletion', registryError(405, 'UNSUPPORTED')],
    ['trouble with one image', registryError(409, 'CONFLICT')],
  ])('not %s', async (_, reply) => {
    const hostile = await answering(() => reply);
    const { registry } = guarded(hostile.url);
    for (let call = 0; call < 4; call++) {
      const before = hostile.seen.length;
      await purge(registry);
      expect(hostile.seen.length).toBeGreaterThan(before);
    }
    expect(registry.circuit?.()).toBe('closed');
  });

  test('not calls that their own caller ended', async () => {
    const { registry } = guarded(new URL(DEAD));
    for (let call = 0; call < 4; call++) {
      await registry.purge(name, image.descriptor.digest, { signal: AbortSignal.abort() });
    }
    expect(registry.circuit?.()).toBe('closed');
  });

  test('calls that their caller ended do not hide the outages around them', async () => {
    const { registry } = guarded(new URL(DEAD), 3);
    const ended = () =>
      registry.purge(name, image.descriptor.digest, { signal: AbortSignal.abort() });
    for (let outage = 0; outage < 3; outage++) {
      expect(registry.circuit?.()).toBe('closed');
      await purge(registry);
      await ended();
    }
    expect(registry.circuit?.()).toBe('open');
  });

  test('a trial that its caller ended proves nothing: the next call tries', async () => {
    let answer: () => Reply = () => registryError(503, 'UNAVAILABLE');
    const hostile = await answering(() => answer());
    const { registry, states } = guarded(hostile.url, 1, 0);
    await purge(registry);
    answer = () => () => {};
    const hangUp = new AbortController();
    const asked = hostile.seen.length;
    const trial = registry.purge(name, image.descriptor.digest, { signal: hangUp.signal });
    await expect.poll(() => hostile.seen.length).toBeGreaterThan(asked);
    hangUp.abort();
    expect(await trial).toMatchObject({ reason: 'TIMEOUT' });
    expect(registry.circuit?.()).toBe('open');
    answer = () => registryError(404, 'NAME_UNKNOWN');
    expect(await purge(registry)).toEqual({ kind: 'already_gone' });
    expect(states).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
  });

  test('not reads that a caller names: they say nothing of our repositories, good or bad', async () => {
    const mirror = repository('mirror/library/image');
    let isDown = false;
    const hostile = await answering(({ path }) => {
      if (isDown || path.startsWith(`/v2/${mirror}/`)) return registryError(502, 'UNKNOWN');
      return registryError(404, 'NAME_UNKNOWN');
    });
    const { registry, states } = guarded(hostile.url, 2, 0);
    const { digest } = image.descriptor;
    const readings = [
      () => registry.readManifest(mirror, tag('v1')),
      () => registry.readBlob(mirror, image.descriptor),
      () => registry.copyImage({ repository: mirror }, digest, name, tag('v1')),
    ];
    for (const read of [...readings, ...readings]) {
      expect(await read()).toMatchObject({ kind: 'failed', outage: true });
    }
    expect(await purge(registry)).toEqual({ kind: 'already_gone' });
    expect(states).toEqual([]);

    isDown = true;
    await purge(registry);
    for (const read of readings) await read();
    await purge(registry);
    for (const read of readings) expect(await read()).toMatchObject({ outage: true });
    expect(states).toEqual(['open']);
  });

  test('while one call tries, the others are answered at once', async () => {
    let hangs = false;
    const hostile = await answering(() => (hangs ? () => {} : registryError(503, 'UNAVAILABLE')));
    const { registry } = guarded(hostile.url, 1, 0);
    await purge(registry);
    hangs = true;
    const trial = purge(registry);
    const asked = hostile.seen.length;
    await expect.poll(() => hostile.seen.length).toBeGreaterThan(asked);
    expect(registry.circuit?.()).toBe('half_open');
    expect(await purge(registry)).toMatchObject({ reason: 'UNREACHABLE', retryAfterSeconds: 1 });
    expect(await trial).toMatchObject({ reason: 'TIMEOUT' });
    expect(registry.circuit?.()).toBe('open');
  });
});

test('operators see the state in /readyz, metrics and logs, and callers are told when to come back', async () => {
  const gateway = await startGateway({ environment: { REGISTRY_URL: DEAD } });
  const ready = await gateway.rest('GET', '/readyz', { key: null });
  expect(ready.status).toBe(200);
  expect(ready.body).toMatchObject({ registry: 'unreachable', registryCircuit: 'closed' });

  for (let call = 0; call < 5; call++) {
    await gateway.pack(`pack-${call}`).catch(() => undefined);
  }
  const after = await gateway.rest('GET', '/readyz', { key: null });
  expect(after.status).toBe(200);
  expect(after.body).toMatchObject({ registry: 'unreachable', registryCircuit: 'open' });
  const metrics = await (await gateway.app.fetch(new Request('http://gateway/metrics'))).text();
  expect(metrics).toContain('pack_gateway_registry_circuit_state{state="open"} 1');
  expect(metrics).toContain('pack_gateway_registry_circuit_state{state="closed"} 0');
  expect(metrics).toMatch(/pack_gateway_registry_failures_total\{reason="UNREACHABLE"\} [1-9]/);
  expect(gateway.logs).toContainEqual(expect.objectContaining({ level: 'warn', circuit: 'open' }));
  await expect(gateway.pack('late')).rejects.toThrow(/REGISTRY_UNAVAILABLE.*given a pause/);
});
