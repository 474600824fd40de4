/** What the tests of deletion ask and look at. */

import { newUuid, packIds } from '../../src/model/ids.ts';
import type { Digest, Repository } from '../../src/registry/registry.ts';
import type { Gateway, Json } from './gateway.ts';

/** An operation that deletes a pack and reads the name of the answer's type, and what is given of it. */
export const deletePackDocument = (selection = ''): string =>
  `mutation ($id: ID!) { deletePack(id: $id) { __typename ${selection} } }`;

export const DELETE = deletePackDocument(`
  ... on DeletedPack { deletedPackId name deletedAt image }
  ... on Error { code message requestId details }
  ... on PackInUse {
    pack { id name status }
    roles { totalCount nodes { id name archivedAt } }
    otherOrgRoleCount
  }
  ... on RegistryCleanupFailed {
    reason retryable retryAfterSeconds attempts
    pack { id status cleanupFailure { reason message at attempts } }
  }`);

const ATTACH = `mutation ($roleId: ID!, $packId: ID!) { attachPack(roleId: $roleId, packId: $packId) {
  __typename
  ... on Error { code message }
} }`;

const CREATE_ROLE = `mutation ($input: CreateAgentRoleInput!) { createAgentRole(input: $input) {
  __typename
  ... on CreatedAgentRole { role { id name displayName environment packs { nodes { id } } } }
  ... on Error { code message details }
  ... on ValidationFailed { fields { path message } }
} }`;

type Caller = Pick<Gateway, 'graphql'>;

/** The answering member of the one mutation's union. */
function member({ data, errors }: Json): Json {
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return Object.values(data)[0];
}

export const deletePack = async (gateway: Caller, id: string, key?: string): Promise<Json> =>
  member(await gateway.graphql(DELETE, { id }, key));

export const attachPack = async (
  gateway: Caller,
  roleId: string,
  packId: string,
  key?: string,
): Promise<Json> => member(await gateway.graphql(ATTACH, { roleId, packId }, key));

export const createRole = async (gateway: Caller, input: object, key?: string): Promise<Json> =>
  member(await gateway.graphql(CREATE_ROLE, { input }, key));

/** Makes a role and answers its id. */
export async function role(gateway: Caller, name: string, packIds: string[] = [], key?: string) {
  const answer = await createRole(gateway, { name, packIds }, key);
  if (answer.__typename !== 'CreatedAgentRole') throw new Error(JSON.stringify(answer));
  return String(answer.role.id);
}

export interface StoredPack {
  readonly status: string;
  readonly repository: Repository;
  readonly image_digest: Digest;
  readonly cleanup_reason: string | null;
  readonly cleanup_attempts: number;
}

/** A pack's row; undefined when there is none. */
export async function rowOf({ app }: Gateway, id: string): Promise<StoredPack | undefined> {
  const [row] = await app.world.database.query<StoredPack>(
    'select * from packs where id = $1 and org_id is not null',
    [id.slice('pack_'.length)],
  );
  return row;
}

/** Types of the events about a pack, oldest first. */
export async function eventsOf({ app }: Gateway, id: string): Promise<string[]> {
  const rows = await app.world.database.query<{ type: string }>(
    'select type from audit_events where subject_id = $1 and org_id is not null order by id',
    [id],
  );
  return rows.map(({ type }) => type);
}

/** Whether the manifest and every blob it names can be read from the registry. */
export async function isPullable(
  { app }: Gateway,
  { repository, image_digest }: Pick<StoredPack, 'repository' | 'image_digest'>,
): Promise<boolean> {
  const { registry } = app.world;
  const read = await registry.readManifest(repository, image_digest);
  if (read.kind === 'failed') throw new Error(read.detail);
  if (read.kind === 'missing') return false;
  const manifest = JSON.parse(Buffer.from(read.manifest).toString());
  for (const descriptor of [manifest.config, ...manifest.layers]) {
    const blob = await registry.readBlob(repository, descriptor);
    if (blob.kind !== 'found') return false;
    await blob.content.resume().toArray();
  }
  return true;
}

export interface UnmanagedPack {
  readonly name: string;
  readonly orgSlug?: string;
  readonly visibility?: 'ORG' | 'COMMUNITY';
  readonly imageOrigin?: 'IMAGE_REF' | 'CLONE';
  /** An image that is there; else one that is not. */
  readonly image?: Pick<StoredPack, 'repository' | 'image_digest'>;
}

/** Writes the row of a pack whose image is not ours to purge; answers its id. */
export async function insertUnmanagedPack(
  { app }: Gateway,
  {
    name,
    orgSlug = 'default',
    visibility = 'ORG',
    imageOrigin = 'IMAGE_REF',
    image,
  }: UnmanagedPack,
): Promise<string> {
  const uuid = newUuid();
  const { repository, image_digest } = image ?? {
    repository: `elsewhere/${name}`,
    image_digest: `sha256:${'0'.repeat(64)}`,
  };
  await app.world.database.query(
    `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs,
       image_origin, repository, image_ref, image_digest, size_bytes, status, cleanup_attempts,
       created_at, updated_at)
     select $1, o.id, $2, '1.0.0', $2, 'COMMUNITY', $3, '{}', $4, $5, $5 || ':1.0.0', $6, 1, 'ACTIVE', 0,
       now(), now()
     from orgs o where o.slug = $7`,
    [uuid, name, visibility, imageOrigin, repository, image_digest, orgSlug],
  );
  return packIds.of(uuid);
}
