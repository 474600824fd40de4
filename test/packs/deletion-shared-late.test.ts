/** A pack that is made of an image at the very moment in which the image's own pack is being deleted. */
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { newUuid } from '../../src/model/ids.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { deletePack, isPullable, rowOf } from '../support/deletion.ts';
import { startGateway } from '../support/gateway.ts';
import { somebodyWaits } from '../support/somebody-waits.ts';

test('an image that became another pack’s while the deletion waited for the lease is kept', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const { id } = await gateway.pack('triage');
  await putBystander(gateway, 'triage');
  const row = await rowOf(gateway, id);
  if (row === undefined) throw new Error('an uploaded pack is not there');
  const other = new pg.Client(gateway.environment.DATABASE_URL);
  await other.connect();
  onTestFinished(() => other.end());
  // The last transaction of createPackFromImage on another replica, which has read the image under its lease.
  const holder = newUuid();
  await other.query(
    `insert into repository_leases (repository, holder, expires_at)
     values ($1, $2, now() + interval '1 minute')`,
    [row.repository, holder],
  );
  await other.query('begin');
  await other.query('delete from repository_leases where holder = $1', [holder]);
  await other.query(
    `insert into packs select (jsonb_populate_record(p, jsonb_build_object(
       'id', $2::text, 'name', 'copy', 'image_origin', 'IMAGE_REF'))).* from packs p where p.id = $1`,
    [id.slice('pack_'.length), newUuid()],
  );
  const deletion = deletePack(gateway, id);
  await somebodyWaits(gateway);
  await other.query('commit');
  expect(await deletion).toMatchObject({ __typename: 'DeletedPack', image: 'RETAINED_SHARED' });
  expect(await isPullable(gateway, row)).toBe(true);
  expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  const { rowCount } = await other.query('select 1 from repository_leases');
  expect(rowCount, 'leases left').toBe(0);
});
