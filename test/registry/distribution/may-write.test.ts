import { expect, it, onTestFinished } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import { registryError, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, MANIFEST, repository, tag } from './images.ts';

const name = repository('packs/acme/lease');
const lapsed = { kind: 'failed', reason: 'TIMEOUT', retryable: true };

it('changes no manifest once the caller may not write, not even on a retry', async () => {
  const image = imageOf('lease');
  const hostile = await startHostileRegistry(({ method, path }) => {
    if (method === 'GET' && path.includes('/manifests/sha256:')) {
      return {
        status: 200,
        headers: { 'content-type': MANIFEST },
        body: Buffer.from(image.manifest),
      };
    }
    if (method === 'GET' && path.includes('/tags/')) {
      return { status: 200, body: JSON.stringify({ tags: [] }) };
    }
    if (method === 'HEAD') return { status: 200 };
    // A refusal that is worth another try, so that the right is asked for a second time.
    return path.includes('/referrers/')
      ? { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found' }
      : registryError(method === 'GET' ? 404 : 503, method === 'GET' ? 'MANIFEST_UNKNOWN' : 'BUSY');
  });
  const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 5_000 });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  const writes = () => hostile.seen.filter(({ method }) => /PUT|DELETE/.test(method)).length;

  const mayWrite = () => false;
  expect(await registry.purge(name, image.descriptor.digest, { mayWrite })).toMatchObject(lapsed);
  expect(await registry.push(name, tag('v1'), image, { mayWrite })).toMatchObject(lapsed);
  expect(writes()).toBe(0);

  let asked = 0;
  const mayWriteOnce = () => ++asked === 1;
  expect(
    await registry.purge(name, image.descriptor.digest, { mayWrite: mayWriteOnce }),
  ).toMatchObject(lapsed);
  expect(writes()).toBe(1);
  expect(asked).toBe(2);
});
