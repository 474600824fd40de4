/** What waits how long for a database that says nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { openMigratedDatabase } from '../../src/database/open-migrated.ts';
import { createDatabase } from '../support/databases.ts';

const HASTY = { longestSilenceMs: 300 };
const LONG = 'select pg_sleep($1::float8)';

test('a migration waits for as long as another one runs, which no request would', async () => {
  const databaseUrl = await createDatabase();
  const other = new pg.Client(databaseUrl);
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('begin; lock table mikro_orm_migrations in access exclusive mode');
  const opening = openMigratedDatabase({ databaseUrl, dataDirectory: '/nowhere' }, HASTY);
  await pause(900);
  await other.query('commit');
  const database = await opening;
  onTestFinished(() => database.close());
  await expect(database.query(LONG, [3])).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect(await database.query('select $1::int as one', [1])).toEqual([{ one: 1 }]);
});

test('what an operator asks of the whole store may take long', async () => {
  const url = await createDatabase();
  const database = await openDatabase(
    { url, dataDirectory: '/nowhere' },
    { longestSilenceMs: null },
  );
  onTestFinished(() => database.close());
  expect(await database.query(LONG, [0.5])).toHaveLength(1);
});
