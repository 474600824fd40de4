/** The database fails to add a pack whose image is already pushed. */
import { expect, test } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { startGateway } from '../support/gateway.ts';
import { listImages } from '../support/list-images.ts';
import { refusePacks } from '../support/refused-packs.ts';

test('an upload that the database undoes for good takes its image back, and the next one works', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const { registry } = gateway.app.world;
  const accept = await refusePacks(gateway.environment.DATABASE_URL ?? '', 'serialization_failure');
  const body = new FormData();
  body.set('archive', new File([new Uint8Array(samplePack({ name: 'triage' }))], 'pack.tar.gz'));
  const refused = await gateway.rest('POST', '/v1/packs/upload', { body });
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
  expect(await listImages(registry, 'packs')).toMatchObject({ kind: 'listed', images: [] });
  await accept();
  expect(await gateway.pack('triage')).toMatchObject({ name: 'triage' });
});
