/** Packs that are shared: each org sees its own roles on them, and how many others there are; only the owner changes them. */
import { describe, expect, test } from 'vitest';
import { attachPack, deletePack } from '../support/deletion.ts';
import { databaseKinds } from '../support/gateway.ts';
import { dumpAll } from './cross-org/dump.ts';
import { Prober } from './cross-org/prober.ts';
import { createWorld, VICTIM } from './cross-org/world.ts';

const ROLES = 'roles(first: 5) { totalCount nodes { name } }';
const PACK = `{ id orgId owned ${ROLES} deletionPreview { deletable otherOrgRoleCount ${ROLES} } }`;
const READ = `query ($id: ID!) {
  pack(id: $id) ${PACK}
  node(id: $id) { ... on Pack ${PACK} }
  _entities(representations: [{ __typename: "Pack", id: $id }]) { ... on Pack ${PACK} }
  agentRoles(first: 5) { nodes { name packs(first: 5) { nodes ${PACK} } } }
  packs(first: 9) { nodes ${PACK} }
}`;
const CHANGES = {
  deletePack: '(id: $id)',
  updatePackVisibility: '(id: $id, visibility: ORG)',
  replacePackImage: '(id: $id, imageRef: "packs/canary-org/shared-by-another:1.0.0")',
};

describe.each(databaseKinds)('on %s', (database) => {
  test('of a shared pack an org sees its own roles, and changes nothing that is not its own', {
    timeout: 300_000,
  }, async () => {
    const world = await createWorld(database);
    const { gateway, own, communityPack, victimKey } = world;
    const prober = new Prober(world);
    const before = await dumpAll(gateway, VICTIM);
    const read = async (id: string, key?: string) =>
      (await gateway.graphql(READ, { id }, key)).data;

    // The prober's role on the victim's pack.
    const roles = { totalCount: 1, nodes: [{ name: 'own-role' }] };
    const theirs = {
      id: communityPack.id,
      orgId: null,
      owned: false,
      roles,
      deletionPreview: null,
    };
    const seen = await read(communityPack.id);
    expect([seen.pack, seen.node, ...seen._entities]).toEqual([theirs, theirs, theirs]);
    expect(seen.packs.nodes).toContainEqual(theirs);
    expect(seen.agentRoles.nodes).toEqual([
      { name: 'own-role', packs: { nodes: expect.arrayContaining([theirs]) } },
    ]);
    expect(prober.leaks({ text: JSON.stringify(seen), headers: '' })).toEqual([]);
    for (const [name, args] of Object.entries(CHANGES)) {
      const mutation = `mutation ($id: ID!) { ${name}${args} { __typename ... on Error { code message } } }`;
      const answer = await gateway.graphql(mutation, { id: communityPack.id });
      expect(answer.data[name], name).toEqual({
        __typename: 'NotFound',
        code: 'PACK_NOT_FOUND',
        message: `Your org has no pack "${communityPack.id}".`,
      });
    }
    const path = `/v1/packs/${communityPack.id}`;
    const requests = [
      gateway.rest('DELETE', path),
      gateway.rest('PATCH', path, { json: { visibility: 'org' } }),
      gateway.rest('PUT', path, { json: { image_ref: communityPack.imageRef } }),
    ];
    for (const { status, body } of await Promise.all(requests)) {
      expect([status, body.error.code]).toEqual([404, 'pack_not_found']);
    }
    const shown = await gateway.rest('GET', path);
    expect(shown.body).toMatchObject({ id: communityPack.id, owned: false });
    expect(shown.body).not.toHaveProperty('org_id');

    // The victim's two roles on the prober's pack: counted, one of them archived, and never named.
    const refused = await deletePack(gateway, own.shared);
    expect(refused).toMatchObject({ __typename: 'PackInUse', otherOrgRoleCount: 2, roles });
    expect(prober.leaks({ text: JSON.stringify(refused), headers: '' })).toEqual([]);
    const mine = (await read(own.shared)).pack;
    expect(mine).toMatchObject({
      owned: true,
      roles,
      deletionPreview: { deletable: false, otherOrgRoleCount: 2, roles },
    });
    const conflict = await gateway.rest('DELETE', `/v1/packs/${own.shared}`);
    expect(conflict.status).toBe(409);
    expect(conflict.body.error.details).toMatchObject({ total: 1, other_org_total: 2 });
    expect(prober.leaks({ text: JSON.stringify(conflict.body), headers: '' })).toEqual([]);

    // And the other way round: the victim sees his two roles on both packs.
    const victims = {
      totalCount: 2,
      nodes: [{ name: 'canary-archived' }, { name: 'canary-role' }],
    };
    expect((await read(own.shared, victimKey)).pack.roles).toEqual(victims);
    expect((await read(communityPack.id, victimKey)).pack).toMatchObject({
      owned: true,
      roles: victims,
      deletionPreview: { otherOrgRoleCount: 1, roles: victims },
    });
    expect(await attachPack(gateway, own.role, own.shared, victimKey)).toMatchObject({
      code: 'AGENT_ROLE_NOT_FOUND',
    });
    expect(await dumpAll(gateway, VICTIM)).toEqual(before);
  });
});
