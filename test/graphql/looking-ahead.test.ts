/** A list reads what was asked for and no more; whatever the way of asking, nothing that was asked for may be missing. */
import { beforeEach, describe, expect, test } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const PACK = `id orgId owned name displayName description version tier visibility category capabilities suggestedPacks
  imageOrigin imageRef imageDigest sizeBytes status cleanupFailure { reason } createdAt updatedAt`;
const ROLE = 'id name displayName description environment archivedAt createdAt updatedAt';
/** Rows within rows come as arrays of texts within JSON: each of these means something in one of the two. */
const HOSTILE = 'NULL {"a",\\b} \n\t "☃" \\" 😀, ';

describe.each(['postgres', 'embedded'] as const)('a list of packs on %s', (database) => {
  let gateway: Gateway;
  let pack: Record<string, unknown>;
  let role: Record<string, unknown>;
  beforeEach(async () => {
    gateway = await startGateway({ database });
    const archive = samplePack({
      name: 'pack',
      description: JSON.stringify(HOSTILE),
      yaml: 'suggested_packs: [one, two]\n',
    });
    const { id } = (await gateway.upload(archive)).pack;
    await gateway.graphql(
      `mutation ($pack: ID!, $text: String!) { createAgentRole(input: { name: "r", displayName: "NULL", description: $text,
        environment: STAGING, packIds: [$pack] }) { __typename } }`,
      { pack: id, text: HOSTILE },
    );
    const { data } = await gateway.graphql(
      `query ($id: ID!) { pack(id: $id) { ${PACK} roles { nodes { ${ROLE} } } } }`,
      { id },
    );
    const { roles, ...rest } = data.pack;
    pack = rest;
    role = roles.nodes[0];
    expect(pack).toMatchObject({ description: HOSTILE, suggestedPacks: ['one', 'two'] });
    expect(role).toMatchObject({ name: 'r', displayName: 'NULL', description: HOSTILE });
  });

  const ask = async (query: string) => {
    const answer = await gateway.graphql(query);
    expect(answer.errors).toBeUndefined();
    return answer.data;
  };

  test('has every field of packs and roles, each alone and all together', async () => {
    for (const field of PACK.replace(/cleanupFailure \{ reason \}/, '').split(/\s+/)) {
      const { packs } = await ask(`{ packs { nodes { ${field} } } }`);
      expect(packs.nodes).toEqual([{ [field]: pack[field] }]);
    }
    for (const field of ROLE.split(' ')) {
      const { packs } = await ask(`{ packs { nodes { roles { nodes { ${field} } } } } }`);
      expect(packs.nodes[0].roles.nodes).toEqual([{ [field]: role[field] }]);
      const { agentRoles } = await ask(`{ agentRoles { nodes { ${field} } } }`);
      expect(agentRoles.nodes).toEqual([{ [field]: role[field] }]);
    }
    const previews = await ask(
      '{ packs { nodes { deletionPreview { roles { nodes { name } } } } } }',
    );
    expect(previews.packs.nodes[0].deletionPreview.roles.nodes).toEqual([{ name: 'r' }]);
    const { packs } = await ask(`{ packs { nodes { ${PACK} roles { nodes { ${ROLE} } } } } }`);
    expect(packs.nodes).toEqual([{ ...pack, roles: { nodes: [role] } }]);
  });

  test('asked for under aliases, each alias has its own fields', async () => {
    const data = await ask(`{
      brief: packs { nodes { id a: roles { nodes { id } } } }
      whole: packs { nodes { ${PACK} b: roles { nodes { ${ROLE} } } } }
      both: packs { nodes { c: roles { nodes { id } } d: roles { nodes { description } } } }
      pages: packs { nodes { e: roles(first: 0) { nodes { id } } f: roles(first: 1) { nodes { updatedAt } } } }
    }`);
    expect(data.brief.nodes).toEqual([{ id: pack.id, a: { nodes: [{ id: role.id }] } }]);
    expect(data.whole.nodes).toEqual([{ ...pack, b: { nodes: [role] } }]);
    expect(data.both.nodes).toEqual([
      { c: { nodes: [{ id: role.id }] }, d: { nodes: [{ description: HOSTILE }] } },
    ]);
    expect(data.pages.nodes).toEqual([
      { e: { nodes: [] }, f: { nodes: [{ updatedAt: role.updatedAt }] } },
    ]);
  });

  test('what is wrong with the arguments of a list within it is told at that list', async () => {
    const wrong = [
      'roles(after: "x")',
      'roles(first: -1)',
      'b: roles(first: 1) { nodes { id } } roles(after: "x")',
    ];
    for (const roles of wrong) {
      const { errors } = await gateway.graphql(
        `{ packs { nodes { id ${roles} { nodes { id } } } } }`,
      );
      expect(errors, roles).toMatchObject([{ path: ['packs', 'nodes', 0, 'roles'] }]);
    }
  });

  test('asked for through edges, fragments and directives, it is the same list', async () => {
    const data = await ask(`query ($no: Boolean = false) {
      edges: packs(first: 5) { edges { cursor node { ...P roles(first: 5) { edges { node { ...R } } } } } }
      mixed: packs(first: 5) { edges { node { id } } nodes { description } pageInfo { endCursor } totalCount }
      nested: packs(first: 5) { nodes { ... on Node { ... on Pack { category } } name @skip(if: $no) description @include(if: $no) } }
      mixedRoles: packs(first: 5) { nodes { roles(first: 5) { nodes { id } edges { node { createdAt packs(first: 5) { nodes { description } } } } } } }
    }
    fragment P on Pack { ${PACK} }
    fragment R on AgentRole { ${ROLE} }`);
    expect(data.edges.edges[0].node).toEqual({ ...pack, roles: { edges: [{ node: role }] } });
    expect(data.mixed).toMatchObject({
      edges: [{ node: { id: pack.id } }],
      nodes: [{ description: pack.description }],
      totalCount: 1,
    });
    expect(data.nested.nodes).toEqual([{ category: pack.category, name: 'pack' }]);
    expect(data.mixedRoles.nodes[0].roles).toEqual({
      nodes: [{ id: role.id }],
      edges: [
        {
          node: {
            createdAt: role.createdAt,
            packs: { nodes: [{ description: pack.description }] },
          },
        },
      ],
    });
  });
});
