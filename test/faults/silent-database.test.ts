/** The network between the service and PostgreSQL swallows what the server answers, and tells nobody. */
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';
import { startUnsteadyLink } from './unsteady-link.ts';

const PACKS = '{ packs { nodes { name } } }';

test('a database that falls silent is given up after a while, and asked anew when it speaks again', {
  timeout: 180_000,
}, async () => {
  const url = await createDatabase();
  const link = await startUnsteadyLink(new URL(url));
  onTestFinished(() => link.stop());
  const database = new URL(url);
  database.host = link.url.host;
  const gateway = await startGateway({ environment: { DATABASE_URL: database.href } });
  await gateway.pack('triage');

  link.trouble = { answerDelay: () => 3_600_000 };
  const startedAt = performance.now();
  const answers = await Promise.all([1, 2, 3].map(() => gateway.graphql(PACKS)));
  for (const { errors } of answers) {
    expect(errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
  }
  expect(performance.now() - startedAt).toBeLessThan(25_000);

  link.trouble = null;
  expect(await gateway.graphql(PACKS)).toEqual({
    data: { packs: { nodes: [{ name: 'triage' }] } },
  });
});
