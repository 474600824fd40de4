/**
 * Every GraphQL operation and every REST route in its typical form, with the number of SQL statements that it takes:
 * the one table to change when an operation gets cheaper. `begin` and `commit` count, as the round trips they are;
 * authenticating the caller does not (`isCounted`).
 */
import { type Change, operationOf } from '../packs/changes.ts';
import { samplePack } from '../support/archives.ts';
import { DELETE, deletePackDocument } from '../support/deletion.ts';
import type { World } from './world.ts';

export interface Operation {
  /** The root field or the route first, then what is special about this form of it. */
  readonly name: string;
  readonly statements: number;
  /** Makes what is needed; what it returns is the operation itself, and answers whether it went as expected. */
  readonly prepare: (world: World) => Promise<() => Promise<boolean>>;
}

const query = (
  name: string,
  statements: number,
  document: string,
  variables: (world: World) => object | Promise<object> = () => ({}),
): Operation => ({
  name: `Query.${name}`,
  statements,
  async prepare(world) {
    const given = await variables(world);
    return async () => (await world.graphql(document, given)) !== null;
  },
});

const mutation = (
  field: Change,
  statements: number,
  answers: string,
  variables: (world: World) => object | Promise<object>,
  { document = operationOf(field), note = '' } = {},
): Operation => ({
  name: `Mutation.${field}${note}`,
  statements,
  async prepare(world) {
    const given = await variables(world);
    return async () => (await world.graphql(document, given))[field].__typename === answers;
  },
});

const route = (
  name: string,
  statements: number,
  status: number,
  parameters: (world: World) => Promise<{
    readonly path?: string;
    readonly json?: unknown;
    readonly body?: FormData | string;
  }>,
): Operation => ({
  name,
  statements,
  async prepare(world) {
    const [method = '', template = ''] = name.split(' ');
    const { path = template, ...options } = await parameters(world);
    return async () => (await world.rest(method, path, options)).status === status;
  },
});

/** A change of what is in a pack; a file is sent by the multipart request specification. */
const revision = (
  field: string,
  statements: number,
  variables: string,
  args: string,
  fileOf: ((name: string) => Buffer) | null,
): Operation => ({
  name: `Mutation.${field}`,
  statements,
  async prepare({ gateway, key, name: newName }) {
    const name = newName();
    const { id } = await gateway.pack(name, { key });
    const query = `mutation ($id: ID! ${variables}) { ${field}(id: $id, ${args}) { __typename } }`;
    const form = new FormData();
    const file = fileOf?.(name);
    const sent = { query, variables: { id, ...(file !== undefined && { file: null }) } };
    form.set('operations', JSON.stringify(sent));
    form.set('map', JSON.stringify(file === undefined ? {} : { file: ['variables.file'] }));
    if (file !== undefined) form.set('file', new File([new Uint8Array(file)], 'file'));
    const headers = { authorization: `Bearer ${key}` };
    return async () => {
      const request = new Request('http://gateway/graphql', {
        method: 'POST',
        headers,
        body: form,
      });
      const { data } = await (await gateway.app.fetch(request)).json();
      return /^(Replaced|Deleted)Pack/.test(data[field].__typename);
    };
  },
});

const PACK = `id orgId owned name displayName description version tier visibility category capabilities
  suggestedPacks imageOrigin imageRef imageDigest sizeBytes status cleanupFailure { reason } createdAt updatedAt`;
const ROLE = 'id name displayName description environment archivedAt createdAt updatedAt';
const ARCHIVED = `mutation ($id: ID!) { archiveAgentRole(id: $id) { __typename } }`;

const packs = (note: string, statements: number, args: string, selection = `nodes { ${PACK} }`) =>
  query(`packs${note}`, statements, `{ packs(${args}) { ${selection} } }`);

/** A cursor in the middle of what the list holds. */
const after = (field: string, args = '') =>
  query(
    `${field} after a cursor${args}`,
    1,
    `query ($after: String!) { ${field}(first: 20, after: $after ${args}) { nodes { id } } }`,
    async ({ graphql }) => {
      const list = `{ ${field}(first: 10 ${args}) { pageInfo { endCursor } } }`;
      return { after: (await graphql(list))[field].pageInfo.endCursor ?? cursor };
    },
  );
const cursor = Buffer.from('01900000-0000-7000-8000-000000000000').toString('base64url');

export const operations: readonly Operation[] = [
  query('viewer', 1, '{ viewer { org { id slug } scopes apiKey { id label } userId } }'),
  query('pack', 1, `query ($id: ID!) { pack(id: $id) { ${PACK} } }`, async (w) => ({
    id: await w.pack(),
  })),
  query(
    'pack with everything',
    4,
    `query ($id: ID!) { pack(id: $id) { ${PACK} roles(first: 10) { totalCount nodes { ${ROLE} } }
       deletionPreview { deletable image otherOrgRoleCount roles(first: 10) { nodes { id } } } } }`,
    async (w) => {
      const id = await w.pack();
      await w.role([id]);
      return { id };
    },
  ),
  query('node of a pack', 1, 'query ($id: ID!) { node(id: $id) { id } }', async (w) => ({
    id: await w.pack(),
  })),
  query('nodes', 2, 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', async (w) => ({
    ids: [await w.pack(), await w.pack(), await w.role(), await w.role()],
  })),
  query('packByName', 1, 'query ($name: String!) { packByName(name: $name) { id } }', async (w) => {
    const name = w.name();
    await w.gateway.pack(name, { key: w.key });
    return { name };
  }),
  query(
    'agentRoleByName',
    1,
    'query ($name: String!) { agentRoleByName(name: $name) { id } }',
    () => ({ name: 'nobody' }),
  ),
  query(
    'pack with its files',
    1,
    'query ($id: ID!) { pack(id: $id) { files { nodes { path size } } file(path: "pack.yaml") { text } } }',
    async (w) => ({ id: await w.pack() }),
  ),
  query('node of a role', 1, 'query ($id: ID!) { node(id: $id) { id } }', async (w) => ({
    id: await w.role(),
  })),
  query('node of a key', 1, 'query ($id: ID!) { node(id: $id) { id } }', async (w) => ({
    id: await w.apiKey(),
  })),
  query(
    '_entities',
    2,
    `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Pack { name } ... on AgentRole { name } } }`,
    async (w) => ({
      of: [
        { __typename: 'Pack', id: await w.pack() },
        { __typename: 'AgentRole', id: await w.role() },
      ],
    }),
  ),
  query('_service', 0, '{ _service { sdl } }'),
  packs('', 1, 'first: 50'),
  packs(' with roles', 1, 'first: 50', `nodes { ${PACK} roles(first: 10) { nodes { ${ROLE} } } }`),
  packs(' with counts', 3, 'first: 50', 'totalCount nodes { id roles(first: 1) { totalCount } }'),
  packs(
    ' with previews',
    3,
    'first: 50',
    'nodes { id deletionPreview { deletable image otherOrgRoleCount } }',
  ),
  packs(' backwards', 1, `last: 20, before: "${cursor}"`),
  packs(' owned', 1, 'first: 50, filter: { owned: true }'),
  packs(' of others', 1, 'first: 50, filter: { owned: false }'),
  packs(' by visibility', 1, 'first: 50, filter: { visibility: COMMUNITY }'),
  packs(' by tier', 1, 'first: 50, filter: { tier: VERIFIED, owned: true }'),
  packs(' by category', 1, 'first: 50, filter: { category: "category-7" }'),
  packs(' by image origin', 1, 'first: 50, filter: { imageOrigin: UPLOAD }'),
  packs(' by status', 1, 'first: 50, filter: { status: CLEANUP_FAILED }'),
  packs(' by name', 1, 'first: 50, filter: { nameContains: "pack-77" }'),
  packs(' by name that none has', 1, 'first: 50, filter: { nameContains: "zebra", owned: true }'),
  packs(' counted by name', 1, 'filter: { nameContains: "pack-77" }', 'totalCount'),
  after('packs'),
  after('packs', ', filter: { owned: true }'),
  query('agentRole', 1, `query ($id: ID!) { agentRole(id: $id) { ${ROLE} } }`, async (w) => ({
    id: await w.role(),
  })),
  query('agentRoles', 1, `{ agentRoles(first: 50) { nodes { ${ROLE} } } }`),
  query(
    'agentRoles with packs',
    3,
    `{ agentRoles(first: 50) { nodes { ${ROLE} packs(first: 10) { totalCount nodes { ${PACK} } } } } }`,
  ),
  query('agentRoles counted', 1, '{ agentRoles { totalCount } }'),
  query(
    'agentRoles archived too',
    1,
    `{ agentRoles(includeArchived: true) { nodes { ${ROLE} } } }`,
  ),
  after('agentRoles'),
  query('apiKeys', 1, '{ apiKeys(first: 50) { nodes { id label prefix createdAt lastUsedAt } } }'),
  query('apiKeys counted', 1, '{ apiKeys { totalCount } }'),
  after('apiKeys'),
  query('auditEvents', 1, '{ auditEvents(first: 50) { nodes { id type actor details } } }'),
  query('auditEvents counted', 1, '{ auditEvents { totalCount } }'),
  query(
    'auditEvents by type',
    1,
    '{ auditEvents(filter: { type: PACK_DETACHED }) { nodes { id } } }',
  ),
  query(
    'auditEvents by time',
    1,
    `{ auditEvents(filter: { since: "2020-01-01T00:00:00Z",
    until: "2100-01-01T00:00:00Z" }) { nodes { id } } }`,
  ),
  query(
    'auditEvents by subject',
    1,
    'query ($id: ID!) { auditEvents(filter: { subjectId: $id }) { nodes { id } } }',
    async (w) => ({ id: await w.pack() }),
  ),
  after('auditEvents'),

  {
    name: 'Mutation.uploadPack',
    statements: 9,
    async prepare({ gateway, key, name }) {
      const archive = samplePack({ name: name() });
      return async () => (await gateway.upload(archive, { key })).__typename === 'UploadedPack';
    },
  },
  mutation('createPackFromImage', 7, 'CreatedPack', async (w) => ({
    imageRef: await w.image(w.name(), 'team/images'),
  })),
  mutation('replacePackImage', 12, 'ReplacedPackImage', async (w) => {
    const name = w.name();
    const { id } = await w.gateway.pack(name, { key: w.key });
    return { id, imageRef: await w.image(name, `packs/${w.slug}/${name}`) };
  }),
  mutation('updatePackVisibility', 5, 'UpdatedPackVisibility', async (w) => ({
    id: await w.pack(),
    visibility: 'COMMUNITY',
  })),
  mutation(
    'updatePackVisibility',
    6,
    'UpdatedPackVisibility',
    async (w) => ({ id: await w.pack({ visibility: 'COMMUNITY' }), visibility: 'ORG' }),
    { note: ' back' },
  ),
  mutation('clonePack', 10, 'ClonedPack', async (w) => ({ id: await w.pack(), name: w.name() })),
  mutation('deletePack', 2, 'DeletedPack', async (w) => ({
    id: await w.unmanagedPack(),
  })),
  mutation('deletePack', 6, 'DeletedPack', async (w) => ({ id: await w.pack() }), {
    note: ' with its image',
  }),
  mutation(
    'deletePack',
    1,
    'PackInUse',
    async (w) => {
      const id = await w.pack();
      await w.role([id]);
      return { id };
    },
    {
      note: ' in use',
      document: deletePackDocument(
        `... on PackInUse { pack { name } roles(first: 10) { nodes { name } } }`,
      ),
    },
  ),
  mutation(
    'deletePack',
    3,
    'PackInUse',
    async (w) => {
      const id = await w.pack();
      await w.role([id]);
      return { id };
    },
    { note: ' in use, with counts', document: DELETE },
  ),
  mutation('detachPackFromRoles', 5, 'DetachedPackFromRoles', async (w) => {
    const packId = await w.pack();
    await w.role([packId]);
    await w.role([packId]);
    return { packId };
  }),
  revision('replacePackArchive', 13, '$file: File!', 'archive: $file', (name) =>
    samplePack({ name, version: '2.0.0' }),
  ),
  revision('replacePackFile', 13, '$file: File!', 'path: "data/new", content: $file', () =>
    Buffer.from('new'),
  ),
  revision('deletePackFile', 13, '', 'path: "guides/start.md"', null),
  mutation('createAgentRole', 7, 'CreatedAgentRole', async (w) => ({
    input: { name: w.name(), packIds: [await w.pack()] },
  })),
  mutation('updateAgentRole', 10, 'UpdatedAgentRole', async (w) => ({
    id: await w.role([await w.pack()]),
    input: { displayName: 'Renamed', packIds: [await w.pack()] },
  })),
  mutation('archiveAgentRole', 5, 'ArchivedAgentRole', async (w) => ({ id: await w.role() })),
  mutation('unarchiveAgentRole', 5, 'UnarchivedAgentRole', async (w) => {
    const id = await w.role();
    await w.graphql(ARCHIVED, { id });
    return { id };
  }),
  mutation('attachPack', 6, 'AttachedPack', async (w) => ({
    roleId: await w.role(),
    packId: await w.pack(),
  })),
  mutation('detachPack', 6, 'DetachedPack', async (w) => {
    const packId = await w.pack();
    return { roleId: await w.role([packId]), packId };
  }),
  mutation('createApiKey', 4, 'CreatedApiKey', () => ({
    label: 'scale',
    permissionSet: 'READ_ONLY',
  })),
  mutation('revokeApiKey', 5, 'RevokedApiKey', async (w) => ({ id: await w.apiKey() })),

  route('GET /v1/packs', 1, 200, async () => ({})),
  route('GET /v1/packs/{id}', 1, 200, async (w) => ({ path: `/v1/packs/${await w.pack()}` })),
  route('POST /v1/packs', 7, 201, async (w) => ({
    json: { image_ref: await w.image(w.name(), 'team/images') },
  })),
  route('POST /v1/packs/upload', 9, 201, async (w) => ({ body: w.archive() })),
  route('PUT /v1/packs/{id}', 12, 200, async (w) => {
    const name = w.name();
    const { id } = await w.gateway.pack(name, { key: w.key });
    const image_ref = await w.image(name, `packs/${w.slug}/${name}`);
    return { path: `/v1/packs/${id}`, json: { image_ref } };
  }),
  route('PATCH /v1/packs/{id}', 5, 200, async (w) => ({
    path: `/v1/packs/${await w.pack()}`,
    json: { visibility: 'community' },
  })),
  route('POST /v1/packs/{id}/clone', 10, 201, async (w) => ({
    path: `/v1/packs/${await w.pack()}/clone`,
    json: { name: w.name() },
  })),
  route('DELETE /v1/packs/{id}', 6, 200, async (w) => ({ path: `/v1/packs/${await w.pack()}` })),
  route('GET /v1/packs/{id}/files', 1, 200, async (w) => ({
    path: `/v1/packs/${await w.pack()}/files`,
  })),
  route('GET /v1/packs/{id}/files/{path}', 1, 200, async (w) => ({
    path: `/v1/packs/${await w.pack()}/files/pack.yaml`,
  })),
  route('PUT /v1/packs/{id}/files/{path}', 13, 200, async (w) => ({
    path: `/v1/packs/${await w.pack()}/files/data/new`,
    body: 'new',
  })),
  route('DELETE /v1/packs/{id}/files/{path}', 13, 200, async (w) => ({
    path: `/v1/packs/${await w.pack()}/files/guides/start.md`,
  })),
  route('GET /v1/packs/{id}/archive', 1, 200, async (w) => ({
    path: `/v1/packs/${await w.pack()}/archive`,
  })),
  route('PUT /v1/packs/{id}/archive', 13, 200, async (w) => {
    const name = w.name();
    const { id } = await w.gateway.pack(name, { key: w.key });
    const body = new FormData();
    const archive = new Uint8Array(samplePack({ name, version: '2.0.0' }));
    body.set('archive', new File([archive], 'pack.tar.gz'));
    return { path: `/v1/packs/${id}/archive`, body };
  }),
  route('POST /v1/packs/{id}/detach', 5, 200, async (w) => {
    const id = await w.pack();
    await w.role([id]);
    return { path: `/v1/packs/${id}/detach`, json: {} };
  }),
  route('DELETE /v1/packs/{id} in use', 2, 409, async (w) => {
    const id = await w.pack();
    await w.role([id]);
    return { path: `/v1/packs/${id}` };
  }),
  route('GET /v1/agent-roles', 2, 200, async () => ({})),
  route('GET /v1/agent-roles/{id}', 2, 200, async (w) => ({
    path: `/v1/agent-roles/${await w.role()}`,
  })),
  route('POST /v1/agent-roles', 8, 201, async (w) => ({
    json: { name: w.name(), pack_ids: [await w.pack()] },
  })),
  route('PATCH /v1/agent-roles/{id}', 6, 200, async (w) => ({
    path: `/v1/agent-roles/${await w.role()}`,
    json: { display_name: 'Renamed' },
  })),
  route('POST /v1/agent-roles/{id}/archive', 6, 200, async (w) => ({
    path: `/v1/agent-roles/${await w.role()}/archive`,
  })),
  route('POST /v1/agent-roles/{id}/unarchive', 6, 200, async (w) => {
    const id = await w.role();
    await w.graphql(ARCHIVED, { id });
    return { path: `/v1/agent-roles/${id}/unarchive` };
  }),
  route('GET /v1/audit', 1, 200, async () => ({})),
];

/** Whether it is counted: not looking up the key, nor noting once a minute that it was used, nor a new connection. */
export const isCounted = (sql: string): boolean =>
  !/across orgs: (?:authenticate|touch key)|plan_cache_mode/.test(sql);
