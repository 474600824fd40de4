/** What isolation a server, a database or a role sets makes no difference; conflicts are gone through again. */
import type { SqlEntityManager } from '@mikro-orm/sql';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { type Database, openDatabase, query } from '../../src/database/database.ts';
import { asAdministrator, nameOf } from '../support/administrator.ts';
import { createDatabase } from '../support/databases.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';

const ISOLATION = `select current_setting('transaction_isolation') as isolation`;
const levels = ['repeatable read', 'serializable'];

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url, dataDirectory: '/nowhere' });
  onTestFinished(() => database.close());
  return database;
}

async function databaseOn(level: string): Promise<string> {
  const url = await createDatabase();
  await asAdministrator(
    url,
    `alter database ${nameOf(url)} set default_transaction_isolation = '${level}'`,
  );
  return url;
}

describe.each(levels)('where %s is the default', (level) => {
  test('single statements and transactions are read committed all the same', async () => {
    const database = await open(await databaseOn(level));
    expect(await database.query(ISOLATION, [])).toEqual([{ isolation: 'read committed' }]);
    const inside = await database
      .acrossOrgs('consistency')
      .transactional((em) => query(em, ISOLATION, []));
    expect(inside).toEqual([{ isolation: 'read committed' }]);
  });

  test.skipIf(!installed('pgbouncer'))('so are transactions through a pooler', async () => {
    const url = await databaseOn(level);
    const bouncer = await startPgBouncer(inject('postgres'), 2);
    const database = await open(`${bouncer}${new URL(url).pathname}?pgbouncer=true`);
    const inside = await database
      .acrossOrgs('consistency')
      .transactional((em) => query(em, ISOLATION, []));
    expect(inside).toEqual([{ isolation: 'read committed' }]);
  });

  test('a pack that a role gets while a deletion waits for it is kept', async () => {
    const DATABASE_URL = await databaseOn(level);
    const gateway = await startGateway({ environment: { DATABASE_URL } });
    const pack = await gateway.pack('triage');
    const uuid = pack.id.slice('pack_'.length);
    const { database } = gateway.app.world;
    const locked = Promise.withResolvers<void>();
    const attached = Promise.withResolvers<void>();
    const attaching = database
      .acrossOrgs('consistency')
      .transactional(async (em: SqlEntityManager) => {
        await query(em, 'select 1 from packs where id = $1 and org_id is not null for key share', [
          uuid,
        ]);
        locked.resolve();
        await attached.promise;
        await query(
          em,
          `with role as (
           insert into agent_roles (id, org_id, name, display_name, environment, created_at, updated_at)
           select gen_random_uuid(), p.org_id, 'late', 'late', 'STAGING', now(), now()
           from packs p where p.id = $1 returning id, org_id
         ) insert into role_packs (role_id, pack_id, org_id, attached_at)
           select id, $1, org_id, now() from role`,
          [uuid],
        );
      });
    await locked.promise;
    const deletion = gateway.graphql(deletePackDocument(), {
      id: pack.id,
    });
    await expect.poll(() => waitingForLocks(database)).toBeGreaterThan(0);
    attached.resolve();
    await attaching;
    expect((await deletion).data).toEqual({ deletePack: { __typename: 'PackInUse' } });
    expect((await gateway.graphql('{ packs { nodes { name status } } }')).data.packs.nodes).toEqual(
      [{ name: 'triage', status: 'ACTIVE' }],
    );
  });
});

async function waitingForLocks(database: Database): Promise<number> {
  const [row] = await database.query<{ waiting: number }>(
    `select count(*)::int as waiting from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
    [],
  );
  return row?.waiting ?? 0;
}

describe('what the server has undone as a whole', () => {
  test('is done again: two transactions that lock each other out both succeed', async () => {
    const url = await createDatabase();
    await asAdministrator(
      url,
      'create table seats (id int primary key, taken int not null)',
      'insert into seats values (1, 0), (2, 0)',
      `alter database ${nameOf(url)} set deadlock_timeout = '50ms'`,
    );
    const database = await open(url);
    const take = (first: number, second: number, both: Promise<void>, entered: () => void) =>
      database.acrossOrgs('consistency').transactional(async (em) => {
        await query(em, 'update seats set taken = taken + 1 where id = $1', [first]);
        entered();
        await both;
        await query(em, 'update seats set taken = taken + 1 where id = $1', [second]);
      });
    const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await Promise.all([
      take(1, 2, other.promise, one.resolve),
      take(2, 1, one.promise, other.resolve),
    ]);
    expect(await database.query('select taken from seats order by id', [])).toEqual([
      { taken: 2 },
      { taken: 2 },
    ]);
  });

  test('is not done again without end, and every time by an entity manager of its own', async () => {
    const database = await open(await createDatabase());
    const managers = new Set<unknown>();
    const hopeless = database.acrossOrgs('consistency').transactional(async (em) => {
      managers.add(em);
      await query(
        em,
        `do $$ begin raise exception 'conflict' using errcode = 'serialization_failure'; end $$`,
        [],
      );
    });
    await expect(hopeless).rejects.toMatchObject({ code: '40001' });
    expect(managers.size).toBeGreaterThan(2);
    expect(managers.size).toBeLessThan(10);
  });
});
