import { Pool } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { MIB } from '../support/bytes-alive.ts';
import { emptyPostgres } from '../support/databases.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';
import { YOUNG_SPACE } from '../support/young-space.ts';
import { temporaryDirectory } from './run.ts';

// What once survives is copied twice, and fills the heap until a full collection: 420 bytes of each request, when it was so.
test('a request is gone once it is answered, without a full collection of the heap', async () => {
  const environment = { DATABASE_URL: await emptyPostgres(), DATA_DIR: temporaryDirectory() };
  const server = await startServer(environment, 'joined', YOUNG_SPACE);
  const pool = new Pool(server.url, { connections: 16 });
  onTestFinished(() => pool.close());
  const ask = async () => {
    const { body } = await pool.request({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER_KEY}` },
      body: '{"query":"{ __typename }"}',
    });
    expect(await body.text()).toBe('{"data":{"__typename":"Query"}}');
  };
  const lasting = async () => {
    const { body } = await pool.request({ method: 'GET', path: '/metrics' });
    const used = /^nodejs_heap_space_size_used_bytes\{space="old"\} (\d+)/m;
    return Number(used.exec(await body.text())?.[1]);
  };
  let taken = 0;
  let last = 0;
  for (let batch = 0; batch < 50; batch += 1) {
    await Promise.all(Array.from({ length: 200 }, ask));
    const now = await lasting();
    // All that has come to it: a full collection takes garbage away again. What comes at first is not the requests'.
    if (batch >= 10) taken += Math.max(0, now - last);
    last = now;
  }
  expect(taken).toBeLessThan(2.5 * MIB);
});
