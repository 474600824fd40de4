/** The preview is a promise about what deletePack would answer. */
import { describe, expect, test } from 'vitest';
import { nameInIndex, putBystander } from '../support/bystander.ts';
import { deletePack, insertUnmanagedPack, role, rowOf } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { deployments, registryEnvironment } from '../support/registries.ts';

const PREVIEW = `query ($id: ID!) { pack(id: $id) { deletionPreview {
  deletable image otherOrgRoleCount roles { totalCount nodes { id } }
} } }`;
const LIST = `{ packs(first: 50) { nodes {
  id
  deletionPreview { deletable image otherOrgRoleCount roles { totalCount nodes { id name } } }
  roles(first: 5) { totalCount nodes { name } }
} } }`;

const uploaded = async (gateway: Gateway, visibility = 'ORG') => {
  const { id } = await gateway.pack('triage', { visibility });
  return String(id);
};

async function sharing(gateway: Gateway): Promise<{ owner: string; reference: string }> {
  const owner = await uploaded(gateway);
  const image = await rowOf(gateway, owner);
  if (image === undefined) throw new Error('an uploaded pack is not there');
  return { owner, reference: await insertUnmanagedPack(gateway, { name: 'reference', image }) };
}

const cases: Readonly<Record<string, (gateway: Gateway) => Promise<string>>> = {
  'a free upload': (gateway) => uploaded(gateway),
  'an upload whose image another pack points at': async (gateway) => (await sharing(gateway)).owner,
  'an upload whose image an index of somebody else names': async (gateway) => {
    const id = await uploaded(gateway);
    await nameInIndex(gateway, 'triage');
    return id;
  },
  'an upload beside an index of other images': async (gateway) => {
    const id = await uploaded(gateway);
    await putBystander(gateway, 'triage');
    return id;
  },
  'an upload whose image is gone': async (gateway) => {
    const id = await uploaded(gateway);
    const row = await rowOf(gateway, id);
    if (row === undefined) throw new Error('an uploaded pack is not there');
    await gateway.app.world.registry.purge(row.repository, row.image_digest);
    return id;
  },
  'a reference to an image': async (gateway) => (await sharing(gateway)).reference,
  'a clone': (gateway) => insertUnmanagedPack(gateway, { name: 'copy', imageOrigin: 'CLONE' }),
  'a pack in use': async (gateway) => {
    const id = await uploaded(gateway);
    await role(gateway, 'on-call', [id]);
    await role(gateway, 'standby', [id]);
    return id;
  },
  'a pack of an archived role': async (gateway) => {
    const id = await uploaded(gateway);
    const roleId = await role(gateway, 'retired', [id]);
    await gateway.graphql(`mutation { archiveAgentRole(id: "${roleId}") { __typename } }`);
    return id;
  },
  'a pack that only another org uses': async (gateway) => {
    const id = await uploaded(gateway, 'COMMUNITY');
    await role(gateway, 'theirs', [id], await gateway.org('other-org'));
    return id;
  },
};

describe.each(deployments)('deletionPreview on $database with $registry', (deployment) => {
  const { database, registry } = deployment;
  test.each(Object.entries(cases))('says what deletePack answers: %s', async (_what, arrange) => {
    const environment = await registryEnvironment(registry);
    const gateway = await startGateway({ database, environment });
    const id = await arrange(gateway);
    const preview = (await gateway.graphql(PREVIEW, { id })).data.pack.deletionPreview;
    const answer = await deletePack(gateway, id);
    if (preview.deletable) {
      expect(answer).toMatchObject({ __typename: 'DeletedPack', image: preview.image });
      expect(preview).toMatchObject({ otherOrgRoleCount: 0, roles: { totalCount: 0, nodes: [] } });
      return;
    }
    expect(answer).toMatchObject({
      __typename: 'PackInUse',
      otherOrgRoleCount: preview.otherOrgRoleCount,
      roles: { totalCount: preview.roles.totalCount },
    });
    const ids = (nodes: { id: string }[]) => nodes.map((node) => node.id);
    expect(ids(answer.roles.nodes)).toEqual(ids(preview.roles.nodes));
  });
});

describe.each(longDatabaseKinds)('deletionPreview on %s', (database) => {
  test.skipIf(!installed('docker-registry'))(
    'says what the database knows while the registry is down, and does not fail',
    async () => {
      const docker = await emptyDockerRegistry();
      const environment = { REGISTRY_URL: docker.url.href };
      const gateway = await startGateway({ database, environment });
      const id = await uploaded(gateway);
      await nameInIndex(gateway, 'triage');
      const image = async () =>
        (await gateway.graphql(PREVIEW, { id })).data.pack.deletionPreview.image;
      expect(await image()).toBe('RETAINED_SHARED');
      docker.freeze();
      expect(await image()).toBe('PURGED');
      await docker.kill();
      expect(await image()).toBe('PURGED');
    },
  );

  test('is null on a pack that the caller does not own', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other-org');
    const id = await uploaded(gateway, 'COMMUNITY');
    expect((await gateway.graphql(PREVIEW, { id }, other)).data.pack).toEqual({
      deletionPreview: null,
    });
  });

  test('of 20 packs with their roles costs as many statements as of 2', async () => {
    const gateway = await startGateway({ database });
    const cost = async () => {
      gateway.statements.length = 0;
      const { data } = await gateway.graphql(LIST);
      return { packs: data.packs.nodes.length, statements: gateway.statements.length };
    };
    const add = async (from: number, to: number) => {
      for (let at = from; at < to; at++) {
        const id = await insertUnmanagedPack(gateway, { name: `pack-${at}` });
        await role(gateway, `role-${at}`, [id]);
      }
    };
    await add(0, 2);
    // The first request may write when the key was last used.
    await cost();
    const few = await cost();
    await add(2, 20);
    const many = await cost();
    expect([few.packs, many.packs]).toEqual([2, 20]);
    expect(many.statements).toBe(few.statements);
    expect(many.statements).toBeLessThanOrEqual(7);
  });
});
