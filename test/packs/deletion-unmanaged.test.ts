/** Deletions of packs whose image is not ours share statements; nobody pays for another's row. */
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { deletePackDocument } from '../support/deletion.ts';
import { startGateway } from '../support/gateway.ts';
import { change } from './changes.ts';

test('a pack that somebody else holds locked is given up, after a bounded number of looks', {
  timeout: 180_000,
}, async () => {
  const gateway = await startGateway({
    database: 'postgres',
    environment: { REGISTRY_DEADLINE_MS: '100' },
  });
  const { id } = await gateway.pack('triage');
  const { pack } = await change(gateway, 'clonePack', { id, name: 'copy' });
  const locker = new pg.Client(gateway.environment.DATABASE_URL);
  await locker.connect();
  onTestFinished(() => locker.end());
  await locker.query('begin');
  await locker.query("select 1 from packs where name = 'copy' for update");
  gateway.statements.length = 0;

  const { data } = await gateway.graphql(
    deletePackDocument(
      `... on RegistryCleanupFailed { reason retryable attempts pack { status } }`,
    ),
    { id: pack.id },
  );
  expect(data.deletePack).toEqual({
    __typename: 'RegistryCleanupFailed',
    reason: 'TIMEOUT',
    retryable: true,
    attempts: 1,
    pack: { status: 'ACTIVE' },
  });
  expect(gateway.statements.length).toBeLessThan(400);

  await locker.query('rollback');
  expect(await change(gateway, 'deletePack', { id: pack.id })).toMatchObject({
    __typename: 'DeletedPack',
    image: 'NOT_MANAGED',
  });
});

test('of deletions that share a statement only the one fails that the database refuses', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const { id } = await gateway.pack('triage');
  const names = ['one', 'guilty', 'two', 'three'];
  const packs = [];
  for (const name of names) packs.push((await change(gateway, 'clonePack', { id, name })).pack);
  const { database } = gateway.app.world;
  await database.query(
    `create function refuse() returns trigger language plpgsql as
     $$ begin raise exception 'not this one'; end $$`,
    [],
  );
  await database.query(
    `create trigger refuse before delete on packs for each row
     when (old.name = 'guilty') execute function refuse()`,
    [],
  );
  gateway.statements.length = 0;
  const answers = await Promise.all(
    packs.map((pack) => gateway.rest('DELETE', `/v1/packs/${pack.id}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 500, 200, 200]);
});
