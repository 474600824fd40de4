import { expect, onTestFinished, test } from 'vitest';
import { connectPostgres, type PoolState } from '../../src/database/connect.ts';
import { asAdministrator, nameOf } from '../support/administrator.ts';
import { createDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';

test('a connection that nobody uses is ended before its silence counts, and nobody is told of a loss', async () => {
  const lost: Error[] = [];
  let state = (): PoolState => ({ total: 0, idle: 0, waiting: 0 });
  const connection = connectPostgres(await createDatabase(), {
    longestSilenceMs: 2_000,
    onConnectionLost: (error) => lost.push(error),
    onPool: (read) => {
      state = read;
    },
  });
  onTestFinished(() => connection.close());
  await connection.send('select 1', []);
  expect(state().total).toBe(1);
  await expect.poll(() => state().total).toBe(0);
  expect(lost).toEqual([]);
});

test('an idle connection that breaks is told once, and as part of no request', async () => {
  const url = await createDatabase();
  const gateway = await startGateway({ environment: { DATABASE_URL: url } });
  await gateway.graphql('{ packs { nodes { name } } }');
  await asAdministrator(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = '${nameOf(url)}' and state = 'idle' and query ~ 'api_keys' and pid <> pg_backend_pid()`,
  );
  const told = () => gateway.logs.filter(({ msg }) => msg === 'a database connection broke');
  await expect.poll(() => told().length).toBeGreaterThan(0);
  // Whatever else there is to tell has been told by the time that another request is answered.
  await gateway.graphql('{ packs { nodes { name } } }');
  expect(told()).toHaveLength(1);
  expect(told()[0]).not.toHaveProperty('requestId');
});
