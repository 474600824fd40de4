/** Statements are given ids, and take the UUIDs under them where they say so; what is no id of ours is refused. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Database, openDatabase, query } from '../../src/database/database.ts';
import type { Query } from '../../src/database/gathered.ts';
import { newUuid, orgIds, packIds } from '../../src/model/ids.ts';
import { createDatabase, emptyEmbedded } from '../support/databases.ts';
import { databaseKinds } from '../support/gateway.ts';

async function open(kind: (typeof databaseKinds)[number]): Promise<Database> {
  const place = { url: kind === 'postgres' ? await createDatabase() : null, dataDirectory: '/tmp' };
  const options = kind === 'postgres' ? {} : { embedded: await emptyEmbedded() };
  const database = await openDatabase(place, options);
  onTestFinished(() => database.close());
  return database;
}

/** The ways on which a statement reaches the database. */
const ways: Record<string, (database: Database) => Query> = {
  'by itself': (database) => database.query,
  'in a transaction of statements': (database) => async (sql, values) => {
    // The caller of a query names the rows.
    const [rows] = await database.transact([[sql, values]]);
    return rows as never;
  },
  'in a transaction of an entity manager': (database) => (sql, values) =>
    database.acrossOrgs('consistency').transactional((em) => query(em, sql, values)),
  patiently: (database) => (sql, values) => database.patiently((send) => send(sql, values)),
  'on the connection that listens': (database) => async (sql, values) => {
    const listener = await database.listen(
      'ids',
      () => undefined,
      () => undefined,
    );
    try {
      return ((await listener.query(sql, [...values])) as { rows: never }).rows;
    } finally {
      await listener.close();
    }
  },
};

describe.each(databaseKinds)('on %s', (kind) => {
  test.each(Object.entries(ways))('an id is bound %s', async (_, way) => {
    const send = way(await open(kind));
    const [one, other] = [newUuid(), newUuid()];
    const id = packIds.of(one);
    const sql =
      'select $1::uuid as id, $2::uuid[] as ids, $1::uuid = any($2::uuid[]) as has, $3::text as text';
    expect(await send(sql, [id, [id, orgIds.of(other), null, other], id])).toEqual([
      { id: one, ids: [one, other, null, other], has: true, text: id },
    ]);
    expect(await send(sql, [null, [], one])).toEqual([
      { id: null, ids: [], has: false, text: one },
    ]);
  });

  test('what is no id of ours is refused, and never cut into one', async () => {
    const send = (await open(kind)).query;
    const uuid = newUuid();
    const foreign = [
      `x_${uuid}`,
      `_${uuid}`,
      `pack_pack_${uuid}`,
      `pack_${uuid}0`,
      `pack_${uuid.slice(1)}`,
      'pack_',
    ];
    for (const text of foreign) {
      const refused = expect.objectContaining({ code: '22P02' });
      await expect(send('select $1::uuid', [text]), text).rejects.toEqual(refused);
      await expect(send('select $1::uuid[]', [[text]]), text).rejects.toEqual(refused);
      expect(await send('select $1::text as text', [text])).toEqual([{ text }]);
    }
  });

  test('a parameter that is a text as well is bound whole', async () => {
    const send = (await open(kind)).query;
    const id = packIds.create();
    const sql = `select $1::text as text, case when $2 then $1::uuid end as id`;
    expect(await send(sql, [id, false])).toEqual([{ text: id, id: null }]);
    await expect(send(sql, [id, true])).rejects.toMatchObject({ code: '22P02' });
  });
});

test('PostgreSQL refuses an id where the statement does not say that it takes a UUID', async () => {
  const { query: send } = await open('postgres');
  const sql = 'select 1 from orgs where id = $1';
  await expect(send(sql, [orgIds.create()])).rejects.toMatchObject({ code: '22P02' });
  expect(await send(sql, [newUuid()])).toEqual([]);
});
