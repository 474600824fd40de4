import { describe, expect, inject, test } from 'vitest';
import { createDatabase, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';

const DELETE = `mutation ($id: ID!) { deletePack(id: $id) { __typename } }`;
const CREATE_ROLE = `mutation ($name: String!, $packIds: [ID!]) {
  createAgentRole(input: { name: $name, displayName: $name, environment: STAGING, packIds: $packIds }) {
    __typename ... on CreatedAgentRole { role { id } }
  }
}`;
const DETACH = `mutation ($roleId: ID!, $packId: ID!) {
  detachPack(roleId: $roleId, packId: $packId) { __typename }
}`;

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
  });
});
