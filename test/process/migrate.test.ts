import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { startGateway } from '../support/gateway.ts';
import { run, temporaryDirectory } from './run.ts';

test.each(longDatabaseKinds)(
  'migrating %s applies what is pending, and then nothing',
  { timeout: 180_000 },
  async (kind) => {
    const environment = {
      DATA_DIR: join(temporaryDirectory(), 'data'),
      ...(kind === 'postgres' ? { DATABASE_URL: await createDatabase('template1') } : {}),
    };
    for (let time = 1; time <= 2; time += 1) {
      expect(await run('src/migrate.ts', environment)).toEqual({ code: 0, stdout: '', stderr: '' });
    }
    const gateway = await startGateway({ environment });
    expect((await gateway.rest('GET', '/readyz')).status).toBe(200);
  },
);
