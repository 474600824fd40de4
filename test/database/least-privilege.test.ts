/** The service under a role that may do no more than `grants` says; another one migrates. */
import { expect, onTestFinished, test } from 'vitest';
import { grants } from '../../src/database/grants.ts';
import { openMigratedDatabase } from '../../src/database/open-migrated.ts';
import { run } from '../process/run.ts';
import { asAdministrator } from '../support/administrator.ts';
import { createDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';

async function clerkOn(database: string): Promise<{ readonly name: string; readonly url: string }> {
  const name = `clerk_${new URL(database).pathname.slice(-12)}`;
  await asAdministrator(database, `create role ${name} login password 'secret'`);
  onTestFinished(() => asAdministrator(database, `drop owned by ${name}`, `drop role ${name}`));
  const url = new URL(database);
  url.username = name;
  url.password = 'secret';
  return { name, url: url.href };
}

test('all works, and what the role lacks is named at the start', async () => {
  const database = await createDatabase();
  const clerk = await clerkOn(database);
  const statements = Object.entries(grants).map(
    ([table, privileges]) => `grant ${privileges.join(', ')} on ${table} to ${clerk.name}`,
  );
  await asAdministrator(database, ...statements);
  const gateway = await startGateway({ environment: { DATABASE_URL: clerk.url } });
  const pack = await gateway.pack('triage');
  const kept = await gateway.graphql(
    `mutation ($id: ID!) {
      createAgentRole(input: { name: "r", packIds: [$id] }) { ... on CreatedAgentRole { role { id } } }
      createApiKey(label: "k", permissionSet: READ_ONLY) { ... on CreatedApiKey { key { id } } }
    }`,
    { id: pack.id },
  );
  const refused = await gateway.rest('DELETE', `/v1/packs/${pack.id}`);
  expect(refused).toMatchObject({ status: 409 });
  const { createAgentRole, createApiKey } = kept.data;
  const done = await gateway.graphql(
    `mutation ($role: ID!, $pack: ID!, $key: ID!) {
      detachPack(roleId: $role, packId: $pack) { __typename }
      archiveAgentRole(id: $role) { __typename }
      revokeApiKey(id: $key) { __typename }
      deletePack(id: $pack) { __typename }
    }`,
    { role: createAgentRole.role.id, pack: pack.id, key: createApiKey.key.id },
  );
  expect(done.data).toEqual({
    detachPack: { __typename: 'DetachedPack' },
    archiveAgentRole: { __typename: 'ArchivedAgentRole' },
    revokeApiKey: { __typename: 'RevokedApiKey' },
    deletePack: { __typename: 'DeletedPack' },
  });
  await gateway.close();

  await asAdministrator(database, `revoke insert, delete on role_packs from ${clerk.name}`);
  const place = { databaseUrl: clerk.url, dataDirectory: '/nowhere' };
  await expect(openMigratedDatabase(place)).rejects.toThrow(
    `grant insert, delete on role_packs to "${clerk.name}"`,
  );
});

test('a role that may not migrate is told who must, where something is pending', async () => {
  const database = await createDatabase('template0');
  const clerk = await clerkOn(database);
  const ended = await run('src/migrate.ts', { DATABASE_URL: clerk.url });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^DATABASE_URL: .*npm run migrate.*\n$/);
});

test('whoever migrates without the right to make extensions goes on without the index, and says what to do', async () => {
  const database = await createDatabase('template0');
  const clerk = await clerkOn(database);
  await asAdministrator(database, `grant create on schema public to ${clerk.name}`);
  const migrated = await run('src/migrate.ts', { DATABASE_URL: clerk.url });
  expect(migrated).toMatchObject({ code: 0, stdout: '' });
  expect(migrated.stderr).toMatch(/^packs are searched by name without an index.*create extension/);

  const gateway = await startGateway({ environment: { DATABASE_URL: clerk.url } });
  await gateway.pack('triage');
  const search = '{ packs(filter: { nameContains: "riag" }) { totalCount nodes { name } } }';
  const found = { packs: { totalCount: 1, nodes: [{ name: 'triage' }] } };
  expect((await gateway.graphql(search)).data).toEqual(found);
  expect(JSON.stringify(gateway.logs)).toContain('packs are searched by name without an index');
  await gateway.close();

  // As the warning says, by whoever may.
  const statements = /create extension if.*/.exec(migrated.stderr)?.[0].split('; ') ?? [];
  await asAdministrator(database, ...statements);
  const again = await run('src/migrate.ts', { DATABASE_URL: clerk.url });
  expect(again).toMatchObject({ code: 0, stderr: '' });
});
