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
