/** The database fails to add a pack whose image is already pushed. */
import { expect, test } from 'vitest';
import { asAdministrator } from '../support/administrator.ts';
import { samplePack } from '../support/archives.ts';
import { startGateway } from '../support/gateway.ts';

test('an upload that the database undoes for good takes its image back, and the next one works', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const { registry } = gateway.app.world;
  const url = gateway.environment.DATABASE_URL ?? '';
  await asAdministrator(
    url,
    `create function conflict() returns trigger language plpgsql as
     $$ begin raise exception 'conflict' using errcode = 'serialization_failure'; end $$`,
    'create trigger conflict before insert on packs for each row execute function conflict()',
  );
  const body = new FormData();
  body.set('archive', new File([new Uint8Array(samplePack({ name: 'triage' }))], 'pack.tar.gz'));
  const refused = await gateway.rest('POST', '/v1/packs/upload', { body });
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
  expect(await registry.listImages('packs')).toMatchObject({ kind: 'listed', images: [] });
  await asAdministrator(url, 'drop trigger conflict on packs');
  expect(await gateway.pack('triage')).toMatchObject({ name: 'triage' });
});
