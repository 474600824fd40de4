import { expect, onTestFinished, test } from 'vitest';
import { change } from '../packs/changes.ts';
import { startGateway } from '../support/gateway.ts';
import { registryError, startHostileRegistry } from '../support/hostile-registry.ts';

// A real mirror hangs when the registry behind it does, and has no packs of its own beside.
test('repositories that hang, which callers name, hold up nothing that is done with packs', async () => {
  const hostile = await startHostileRegistry(({ path }) =>
    path.startsWith('/v2/mirror/') ? () => {} : registryError(401, 'UNAUTHORIZED'),
  );
  onTestFinished(() => hostile.stop());
  const gateway = await startGateway({
    environment: { REGISTRY_URL: hostile.url.href, REGISTRY_DEADLINE_MS: '60000' },
  });
  let answered = 0;
  const hanging = Array.from({ length: 40 }, async (_, at) => {
    await change(gateway, 'createPackFromImage', { imageRef: `mirror/library/image-${at}:v1` });
    answered += 1;
  });
  // As many as there are connections to a registry.
  await expect.poll(() => hostile.seen.length).toBe(32);
  await expect(gateway.pack('triage')).rejects.toThrow('"reason":"unauthorized"');
  expect(answered).toBe(0);
  await hostile.stop();
  await Promise.all(hanging);
});

test('uploads of one org that the registry is slow to take hold up no other', async () => {
  const hostile = await startHostileRegistry(({ method, path }) => {
    if (path.startsWith('/v2/packs/globex/')) return registryError(401, 'UNAUTHORIZED');
    if (method === 'HEAD') return { status: 404 };
    const location = `${path}slow`;
    return method === 'POST' ? { status: 202, headers: { location } } : () => {};
  });
  onTestFinished(() => hostile.stop());
  const gateway = await startGateway({
    environment: { REGISTRY_URL: hostile.url.href, REGISTRY_DEADLINE_MS: '60000' },
  });
  const other = await gateway.org('globex');
  // What one caller does takes turns, so it takes two of the org to have as many uploads as it may.
  const one = await gateway.key('OWNER');
  let answered = 0;
  const slow = Array.from({ length: 32 }, async (_, at) => {
    const by = at % 2 === 0 ? { key: one } : {};
    await gateway.pack(`slow-${at}`, by).catch(() => undefined);
    answered += 1;
  });
  const sent = () => hostile.seen.filter(({ method }) => method === 'PUT' || method === 'PATCH');
  // More than there are connections for all that is not a blob.
  await expect.poll(() => sent().length).toBeGreaterThan(32);
  await expect(gateway.pack('triage', { key: other })).rejects.toThrow('"reason":"unauthorized"');
  expect(answered).toBe(0);
  await hostile.stop();
  await Promise.all(slow);
});
