import { describe, expect, inject, test } from 'vitest';
import { newUuid } from '../../src/model/ids.ts';
import { refusedStart, run, temporaryDirectory } from '../process/run.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { createDatabase } from '../support/databases.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';

const DELETE = deletePackDocument();
const CREATE_ROLE = `mutation ($name: String!, $packIds: [ID!]) {
  createAgentRole(input: { name: $name, displayName: $name, environment: STAGING, packIds: $packIds }) {
    __typename ... on CreatedAgentRole { role { id } }
  }
}`;
const DETACH = `mutation ($roleId: ID!, $packId: ID!) {
  detachPack(roleId: $roleId, packId: $packId) { __typename }
}`;

/** Follows the org's events; answers the first answer that comes, a refusal or a role's first event. */
async function firstEvent(gateway: Gateway): Promise<string> {
  const response = await gateway.app.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${OWNER_KEY}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: 'subscription { packEvents { type } }' }),
    }),
  );
  const reader = response.body?.getReader();
  let text = '';
  const changes: Promise<unknown>[] = [];
  while (reader !== undefined && !text.includes('data:')) {
    const { done, value } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
    if (!text.includes('data:')) changes.push(gateway.pack(`pack-${newUuid()}`));
  }
  await reader?.cancel();
  await Promise.all(changes);
  return text;
}

describe.skipIf(!installed('pgbouncer'))('behind a PgBouncer that nobody told us of', () => {
  test.each(['session', 'transaction'] as const)('in %s mode all works', async (mode) => {
    const empty = new URL(await createDatabase('template1'));
    const bouncer = await startPgBouncer(inject('postgres'), 30, mode);
    const gateway = await startGateway({
      environment: { DATABASE_URL: `${bouncer}${empty.pathname}` },
    });
    const packs = await Promise.all(
      Array.from({ length: 20 }, (_, index) => gateway.pack(`pack-${index}`)),
    );
    const deleted = await Promise.all(packs.map(({ id }) => gateway.graphql(DELETE, { id })));
    expect(new Set(deleted.map(({ data }) => data.deletePack.__typename))).toEqual(
      new Set(['DeletedPack']),
    );
  });
});

describe.skipIf(!installed('pgbouncer'))('events through PgBouncer in transaction mode', () => {
  test('are heard where DATABASE_LISTEN_URL names the server itself', async () => {
    const direct = new URL(await createDatabase());
    const bouncer = await startPgBouncer(inject('postgres'), 5);
    const gateway = await startGateway({
      environment: {
        DATABASE_URL: `${bouncer}${direct.pathname}?pgbouncer=true`,
        DATABASE_LISTEN_URL: direct.href,
      },
    });
    expect(await firstEvent(gateway)).toContain('PACK_UPLOADED');
  });

  test.each([
    ['nobody names it', '?pgbouncer=true', undefined],
    ['the pooler is not named as one', '', undefined],
    ['it leads to another database', '?pgbouncer=true', 'another'],
  ])('are refused where %s, and the log says what to do', async (_case, parameters, listen) => {
    const direct = new URL(await createDatabase());
    const bouncer = await startPgBouncer(inject('postgres'), 5);
    const gateway = await startGateway({
      environment: {
        DATABASE_URL: `${bouncer}${direct.pathname}${parameters}`,
        ...(listen === undefined ? {} : { DATABASE_LISTEN_URL: await createDatabase() }),
      },
    });
    expect(await firstEvent(gateway)).toContain('SERVICE_UNAVAILABLE');
    expect(JSON.stringify(gateway.logs)).toContain('DATABASE_LISTEN_URL');
  });
});

test.skipIf(!installed('pgbouncer')).each([
  ['statement', '', 'pool_mode = transaction'],
  ['transaction', '?pgbouncer=session', '?pgbouncer=true'],
] as const)(
  'a pooler in %s mode with "%s" is refused at the start, with the way out',
  async (mode, parameters, wayOut) => {
    const direct = new URL(await createDatabase());
    const bouncer = await startPgBouncer(inject('postgres'), 1, mode);
    const ended = await refusedStart({
      DATABASE_URL: `${bouncer}${direct.pathname}${parameters}`,
      DATA_DIR: temporaryDirectory(),
    });
    expect(ended.stderr).toMatch(/^DATABASE_URL: the database cannot be used .+\n$/);
    expect(ended.stderr).toContain(wayOut);
  },
);

describe.skipIf(!installed('pgbouncer'))('?pgbouncer=prepared', () => {
  test('is refused at the start where the pooler keeps no prepared statements', async () => {
    const direct = new URL(await createDatabase());
    // Debian's is older than those that do, or does not by default.
    const bouncer = await startPgBouncer(inject('postgres'), 5);
    const DATABASE_URL = `${bouncer}${direct.pathname}?pgbouncer=prepared`;
    const ended = await run('src/migrate.ts', { DATABASE_URL });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^DATABASE_URL: .*max_prepared_statements.*pgbouncer=true.*\n$/m);
  });

  test('needs no pooler to be there', async () => {
    const gateway = await startGateway({
      environment: { DATABASE_URL: `${await createDatabase()}?pgbouncer=prepared` },
    });
    const { id } = await gateway.pack('triage');
    const { data } = await gateway.graphql(DELETE, { id });
    expect(data).toEqual({ deletePack: { __typename: 'DeletedPack' } });
  });
});

describe.skipIf(!installed('pgbouncer'))('behind PgBouncer in transaction mode', () => {
  test('two replicas migrate an empty database and keep what deletion promises', async () => {
    const empty = new URL(await createDatabase('template1'));
    // Fewer than the replicas' own connections: transactions of all of them take turns on these.
    const bouncer = await startPgBouncer(inject('postgres'), 3);
    const environment = { DATABASE_URL: `${bouncer}${empty.pathname}?pgbouncer=true` };
    const [one, two] = await Promise.all([
      startGateway({ environment }),
      startGateway({ environment }),
    ]);
    expect((await two.rest('GET', '/readyz', { key: null })).body).toMatchObject({
      database: 'ok',
    });

    const packs = await Promise.all(
      Array.from({ length: 12 }, (_, index) => one.pack(`pack-${index}`)),
    );
    for (const { name } of packs) await putBystander(one, name);
    const roles = await Promise.all(
      packs.map(({ id, name }) => one.graphql(CREATE_ROLE, { name, packIds: [id] })),
    );
    const refused = await Promise.all(packs.map(({ id }) => one.graphql(DELETE, { id })));
    expect(new Set(refused.map(({ data }) => data.deletePack.__typename))).toEqual(
      new Set(['PackInUse']),
    );
    await Promise.all(
      packs.map(({ id }, index) =>
        two.graphql(DETACH, {
          roleId: roles[index]?.data.createAgentRole.role.id,
          packId: id,
        }),
      ),
    );
    for (const { id } of packs) {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => one.graphql(DELETE, { id })),
      );
      expect(answers.map(({ data }) => data.deletePack.__typename).sort()).toEqual([
        'DeletedPack',
        'NotFound',
        'NotFound',
        'NotFound',
      ]);
    }
    for (const { name } of packs) expect(await stateOfBystander(one, name), name).toBe('whole');
  });
});
