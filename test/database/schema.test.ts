import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { eventsOf, insertUnmanagedPack, role } from '../support/deletion.ts';
import { databaseKinds, type Gateway, startGateway } from '../support/gateway.ts';
import { startServer } from '../support/server-process.ts';
import { violatesTenancy } from '../support/statements.ts';

const send = (gateway: Gateway, sql: string, values: readonly unknown[] = []) =>
  gateway.app.world.database.query(sql, values);

describe.each(databaseKinds)('the schema on %s', (database) => {
  test('is what the entities say, with nothing left to migrate', async () => {
    const { app } = await startGateway({ database });
    expect(await app.world.database.orm.schema.getUpdateSchemaSQL()).toBe('');
    expect(await app.world.database.state()).toBe('ok');
  });

  test('keeps a pack that a role references, whatever the service says', async () => {
    const gateway = await startGateway({ database });
    const id = await insertUnmanagedPack(gateway, { name: 'triage' });
    await role(gateway, 'on-call', [id]);
    const removal = send(gateway, 'delete from packs where id = $1 and org_id is not null', [
      id.slice('pack_'.length),
    ]);
    await expect(removal).rejects.toThrow(/role_packs_pack_id_foreign/);
  });

  test.each([
    'update audit_events set actor = $$x$$ where org_id is not null',
    'delete from audit_events where org_id is not null',
    'truncate audit_events',
  ])('refuses: %s', async (sql) => {
    const gateway = await startGateway({ database });
    const id = await insertUnmanagedPack(gateway, { name: 'triage' });
    await role(gateway, 'on-call', [id]);
    await expect(send(gateway, sql)).rejects.toThrow('audit events are never changed');
    expect(await eventsOf(gateway, id)).toEqual(['PACK_ATTACHED']);
  });
});

test('several processes may start at once on an empty PostgreSQL', async () => {
  const DATABASE_URL = await createDatabase('template0');
  const directories = Array.from({ length: 3 }, () => mkdtempSync(join(tmpdir(), 'replica-')));
  onTestFinished(() => {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
  const servers = await Promise.all(
    directories.map((DATA_DIR) => startServer({ DATABASE_URL, DATA_DIR })),
  );
  for (const server of servers) {
    const { data } = await server.graphql('{ viewer { org { slug } } packs { totalCount } }');
    expect(data).toEqual({ viewer: { org: { slug: 'default' } }, packs: { totalCount: 0 } });
  }
});

describe('the check of all statements for their org', () => {
  test.each([
    'select * from packs where id = $1',
    'update agent_roles set name = $1 where id = $2',
    'delete from role_packs where role_id = $1',
    'select 1 from orgs o join api_keys k on k.id = $1',
    'insert into audit_events (id, type) values ($1, $2)',
  ])('catches: %s', (sql) => {
    expect(violatesTenancy(sql)).toBe(true);
  });

  test.each([
    'select * from packs p where p.id = $1 and p.org_id = $2',
    'insert into audit_events (id, org_id, type) values ($1, $2, $3)',
    'select * from orgs where slug = $1',
    'select /* across orgs: authenticate */ * from api_keys where secret_hash = $1',
  ])('lets pass: %s', (sql) => {
    expect(violatesTenancy(sql)).toBe(false);
  });
});
