/** What the tests of changes to packs ask. */

import { isRepository, isTag } from '../../src/registry/registry.ts';
import { type SamplePack, samplePackEntries, tarOf } from '../support/archives.ts';
import { deletePackDocument } from '../support/deletion.ts';
import type { Gateway, Json } from '../support/gateway.ts';
import { sampleImage, sampleLayer } from '../support/sample-image.ts';

const PACK = `pack {
  id name version owned visibility tier imageOrigin imageRef imageDigest sizeBytes status description
}`;
const PLAIN = '... on Error { code message details }';
const PROBLEM = `${PLAIN} ... on ValidationFailed { fields { path } }`;

const operations = {
  createPackFromImage: `mutation ($imageRef: String!, $visibility: PackVisibility! = ORG) {
    createPackFromImage(imageRef: $imageRef, visibility: $visibility) {
      __typename ... on CreatedPack { ${PACK} } ${PROBLEM} } }`,
  replacePackImage: `mutation ($id: ID!, $imageRef: String!) {
    replacePackImage(id: $id, imageRef: $imageRef) {
      __typename ... on ReplacedPackImage { ${PACK} } ${PROBLEM} } }`,
  updatePackVisibility: `mutation ($id: ID!, $visibility: PackVisibility!) {
    updatePackVisibility(id: $id, visibility: $visibility) {
      __typename ... on UpdatedPackVisibility { ${PACK} } ${PLAIN}
      ... on PackInUse { otherOrgRoleCount roles { nodes { id } } } } }`,
  clonePack: `mutation ($id: ID!, $name: String) { clonePack(id: $id, name: $name) {
      __typename ... on ClonedPack { ${PACK} } ${PROBLEM} } }`,
  attachPack: `mutation ($roleId: ID!, $packId: ID!) { attachPack(roleId: $roleId, packId: $packId) {
      __typename ${PLAIN} } }`,
  detachPack: `mutation ($roleId: ID!, $packId: ID!) { detachPack(roleId: $roleId, packId: $packId) {
      __typename ${PLAIN} } }`,
  detachPackFromRoles: `mutation ($packId: ID!, $roleIds: [ID!]) {
    detachPackFromRoles(packId: $packId, roleIds: $roleIds) {
      __typename ... on DetachedPackFromRoles { roleCount } ${PLAIN} } }`,
  createAgentRole: `mutation ($input: CreateAgentRoleInput!) { createAgentRole(input: $input) {
      __typename ... on CreatedAgentRole { role { id } } ${PROBLEM} } }`,
  updateAgentRole: `mutation ($id: ID!, $input: UpdateAgentRoleInput!) {
    updateAgentRole(id: $id, input: $input) {
      __typename ... on UpdatedAgentRole {
        role { id name displayName description environment archivedAt packs { nodes { id } } } }
      ${PROBLEM} } }`,
  archiveAgentRole: `mutation ($id: ID!) { archiveAgentRole(id: $id) { __typename ${PLAIN} } }`,
  unarchiveAgentRole: `mutation ($id: ID!) { unarchiveAgentRole(id: $id) { __typename ${PLAIN} } }`,
  deletePack: deletePackDocument(`... on DeletedPack { image } ${PLAIN}`),
  createApiKey: `mutation ($label: String!, $permissionSet: ApiKeyPermissionSet!) {
    createApiKey(label: $label, permissionSet: $permissionSet) {
      __typename ... on CreatedApiKey {
        secret key { id label prefix permissionSet createdAt lastUsedAt } } ${PROBLEM} } }`,
  revokeApiKey: `mutation ($id: ID!) { revokeApiKey(id: $id) {
      __typename ... on RevokedApiKey { key { id } } ${PROBLEM} } }`,
} as const;

export type Change = keyof typeof operations;
export const changes = Object.keys(operations).filter((name): name is Change => name in operations);
export const operationOf = (change: Change): string => operations[change];

/** Makes a change and answers the member of its union. */
export async function change(
  gateway: Pick<Gateway, 'graphql'>,
  name: Change,
  variables: object,
  key?: string,
): Promise<Json> {
  const { data, errors } = await gateway.graphql(operations[name], variables, key);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data[name];
}

/** An image with these entries as a pack, as any tool may have built it. */
export const packImage = (options: SamplePack = {}) =>
  sampleImage(JSON.stringify(options), {
    layers: [sampleLayer(tarOf(samplePackEntries(options))), sampleLayer(tarOf([]))],
  });

/** Pushes a pack's image past the gateway, as its owner would; answers its digest. */
export async function pushImage(
  { app }: Gateway,
  repository: string,
  tag: string,
  image = packImage(),
): Promise<string> {
  if (!isRepository(repository) || !isTag(tag)) throw new Error(`${repository}:${tag}`);
  const pushed = await app.world.registry.push(repository, tag, image);
  if (pushed.kind !== 'pushed') throw new Error(JSON.stringify(pushed));
  return image.descriptor.digest;
}

/** Whether the image that a reference of the configured registry stands for can be pulled whole. */
export async function pulls({ app }: Gateway, repository: string, reference: string) {
  const { registry } = app.world;
  if (!isRepository(repository)) throw new Error(repository);
  // A digest or a tag; the registry checks it again.
  const manifest = await registry.readManifest(repository, reference as never);
  if (manifest.kind !== 'found') return false;
  const { config, layers } = JSON.parse(Buffer.from(manifest.manifest).toString());
  for (const descriptor of [config, ...layers]) {
    const blob = await registry.readBlob(repository, descriptor);
    if (blob.kind !== 'found') return false;
    await blob.content.toArray();
  }
  return true;
}

/** The types of the org's events, oldest first, each with its actor and request. */
export async function events(gateway: Gateway, key?: string): Promise<Json[]> {
  const query = '{ auditEvents(first: 200) { nodes { type actor subjectId requestId details } } }';
  const { data } = await gateway.graphql(query, {}, key);
  return data.auditEvents.nodes.toReversed();
}

/** Puts a pack into the state of an unfinished deletion. */
export async function setStatus({ app }: Gateway, id: string, status: string): Promise<void> {
  await app.world.database.query(
    'update packs set status = $2 where id = $1 and org_id is not null',
    [id.slice('pack_'.length), status],
  );
}
