/** Tenancy on the ORM itself: an entity manager of an org finds and changes that org's rows alone, unasked. */
import { expect, test } from 'vitest';
import { AgentRole } from '../../src/model/agent-role.entity.ts';
import { Attachment } from '../../src/model/attachment.entity.ts';
import { type OrgId, orgIds } from '../../src/model/ids.ts';
import { Pack } from '../../src/model/pack.entity.ts';
import { change } from '../packs/changes.ts';
import { startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

/** Entities that belong to no org. */
const NOBODYS = ['RepositoryLease', 'PackDeletion'];

/** Two orgs that each have a row of everything; a pack of each is shared with all. */
async function twoOrgs() {
  const gateway = await startGateway({ database: 'postgres' });
  const { database } = gateway.app.world;
  for (const key of [OWNER_KEY, await gateway.org('acme')]) {
    const { id } = await gateway.pack('shared', { key, visibility: 'COMMUNITY' });
    const input = { name: 'role', packIds: [id] };
    await change(gateway, 'createAgentRole', { input }, key);
  }
  const records = await database.query<{ id: string }>('select id from orgs order by slug', []);
  for (const { id } of records) {
    await database.query('insert into event_listeners values ($1, $1, now())', [id]);
  }
  const [acme, own] = records.map(({ id }) => orgIds.of(id));
  if (own === undefined || acme === undefined) throw new Error('there are not two orgs');
  return { database, own, acme };
}

/** The org of any entity's row. */
const orgOf = (row: { org?: OrgId; orgId?: OrgId; id?: OrgId }): OrgId | undefined =>
  row.org ?? row.orgId ?? row.id;

test('finds of every entity only what the org has, shared packs included', async () => {
  const { database, own, acme } = await twoOrgs();
  const entities = [...database.orm.getMetadata().getAll().values()].map(({ class: one }) => one);
  const names = entities.map(({ name }) => name).filter((name) => !NOBODYS.includes(name));
  expect(names.length).toBeGreaterThan(6);
  for (const entity of entities.filter(({ name }) => names.includes(name))) {
    const found = await database.forOrg(own).find(entity, {});
    expect(new Set(found.map(orgOf)), entity.name).toEqual(new Set([own]));
    expect(await database.forOrg(own).count(entity, {}), entity.name).toBe(found.length);
    const all = await database.acrossOrgs('consistency').find(entity, {}, { comments: COMMENT });
    expect(new Set(all.map(orgOf)), entity.name).toEqual(new Set([own, acme]));
    await expect(database.orm.em.fork().find(entity, {}), entity.name).rejects.toThrow(
      "No arguments provided for filter 'tenant'",
    );
  }
});

/** For the test run, which looks at every statement. */
const COMMENT = ['across orgs: consistency'];

test('changes nothing of another org, whatever id it is given', async () => {
  const { database, own, acme } = await twoOrgs();
  const pack = await database.forOrg(acme).findOneOrFail(Pack, { name: 'shared' });
  const role = await database.forOrg(acme).findOneOrFail(AgentRole, { name: 'role' });
  const em = database.forOrg(own);
  expect(await em.nativeUpdate(Pack, { id: pack.id }, { displayName: 'mine' })).toBe(0);
  expect(await em.nativeUpdate(AgentRole, { id: role.id }, { displayName: 'mine' })).toBe(0);
  expect(await em.nativeDelete(Attachment, { role: role.id, pack: pack.id })).toBe(0);
  expect(await em.findOne(Pack, { id: pack.id })).toBeNull();
});

test('a flushed change is refused where the row changed meanwhile, and never by the change before it', async () => {
  const { database, own } = await twoOrgs();
  const em = database.forOrg(own);
  const pack = await em.findOneOrFail(Pack, { name: 'shared' });
  pack.displayName = 'Ours';
  await em.flush();
  pack.displayName = 'Ours again, in the same millisecond';
  await em.flush();
  const late = database.forOrg(own);
  const read = await late.findOneOrFail(Pack, { id: pack.id });
  pack.displayName = 'Changed meanwhile';
  await em.flush();
  read.displayName = 'Too late';
  await expect(late.flush()).rejects.toThrow('optimistic lock');
});
