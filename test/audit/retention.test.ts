/** Events older than AUDIT_RETENTION_DAYS go, by no other way than one that says so. */
import { describe, expect, test } from 'vitest';
import { pruneAudit } from '../../src/audit/prune-audit.ts';
import { newUuid } from '../../src/model/ids.ts';
import { run } from '../process/run.ts';
import { databaseKinds, type Gateway, type Json, startGateway } from '../support/gateway.ts';

const EVENTS = '{ auditEvents(first: 50) { nodes { type actor subjectId details } } }';
const eventsOf = async (gateway: Gateway): Promise<Json[]> =>
  (await gateway.graphql(EVENTS)).data.auditEvents.nodes;

/** Writes events of so many days ago, as the service would have then. */
async function old(gateway: Gateway, count: number, days: number): Promise<void> {
  await gateway.app.world.database.query(
    `insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
     select (lpad(to_hex((extract(epoch from at) * 1000)::bigint + n), 12, '0')
         || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
       o.id, 'PACK_ATTACHED', 'key_x', 'pack_x', 'request', '{}', at
     from orgs o, (select now() - $2 * interval '1 day' as at) moment, generate_series(1, $1) n`,
    [count, days],
  );
}

describe.each(databaseKinds)('on %s', (database) => {
  test('what is too old goes, what is not stays, and an event of each org says so', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other');
    await old(gateway, 12, 40);
    await old(gateway, 3, 10);
    expect(await pruneAudit(gateway.app.world, 30)).toBe(24);
    const events = await eventsOf(gateway);
    expect(events.filter(({ type }) => type === 'PACK_ATTACHED')).toHaveLength(3);
    expect(events.filter(({ type }) => type === 'AUDIT_PRUNED')).toMatchObject([
      { actor: 'retention', subjectId: expect.stringMatching(/^org_/), details: { removed: 12 } },
    ]);
    const theirs = await gateway.graphql(EVENTS, {}, other);
    expect(theirs.data.auditEvents.nodes[0]).toMatchObject({
      type: 'AUDIT_PRUNED',
      details: { removed: 12 },
    });
    expect(await pruneAudit(gateway.app.world, 30)).toBe(0);
  });

  test('nobody prunes what is younger than a day, or what he deletes himself', async () => {
    const gateway = await startGateway({ database });
    await old(gateway, 2, 40);
    await expect(pruneAudit(gateway.app.world, 0)).rejects.toThrow(/kept for a day/);
    await expect(
      gateway.app.world.database.query('delete from audit_events where org_id is not null', []),
    ).rejects.toThrow(/never changed/);
  });
});

test('very many go in batches, each a transaction with an event of its own', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await old(gateway, 20_001, 40);
  expect(await pruneAudit(gateway.app.world, 30)).toBe(20_001);
  const pruned = (await eventsOf(gateway)).filter(({ type }) => type === 'AUDIT_PRUNED');
  expect(pruned.map(({ details }) => details.removed).sort()).toEqual([1, 10_000, 10_000]);
});

test('after pruning, no deletion can be told a second time, be its event kept or not', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const insert = (subject: string, age: string) =>
    gateway.app.world.database.query(
      `insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
       select (lpad(to_hex((extract(epoch from now() - $2::interval) * 1000)::bigint), 12, '0')
           || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
         id, 'PACK_DELETED', 'key_x', $1, 'request', '{}', now() - $2::interval from orgs where slug = 'default'`,
      [subject, age],
    );
  const old = `pack_${newUuid()}`;
  const young = `pack_${newUuid()}`;
  await insert(old, '40 days');
  await insert(young, '1 day');
  await expect(insert(young, '0')).rejects.toThrow(/audit_events_deleted_once/);
  expect(await pruneAudit(gateway.app.world, 30)).toBe(1);
  for (const pack of [young, old]) {
    await expect(insert(pack, '0')).rejects.toThrow(/audit_events_deleted_once/);
  }
});

test('npm run prune-audit says how many went; without the setting it says what is missing', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await old(gateway, 5, 400);
  const DATABASE_URL = gateway.environment.DATABASE_URL ?? '';
  const refused = await run('src/commands/prune-audit.ts', { DATABASE_URL });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^AUDIT_RETENTION_DAYS: .*AUDIT_RETENTION_DAYS=365\n$/);
  const pruned = await run('src/commands/prune-audit.ts', {
    DATABASE_URL,
    AUDIT_RETENTION_DAYS: '365',
  });
  expect(pruned).toMatchObject({ code: 0, stdout: '{"removed":5,"days":365}\n' });
});

test('a server that is told how long to keep events prunes by itself', async () => {
  const first = await startGateway({ database: 'postgres' });
  await old(first, 4, 400);
  const { DATABASE_URL = '' } = first.environment;
  const second = await startGateway({ environment: { DATABASE_URL, AUDIT_RETENTION_DAYS: '365' } });
  await expect
    .poll(async () => (await eventsOf(second)).map(({ type }) => type))
    .toEqual(['AUDIT_PRUNED']);
});
