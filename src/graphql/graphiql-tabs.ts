/** What GraphiQL opens with: the story of a pack's deletion, one step a tab. The tests run each of them. */

/** The place for the key; every tab has headers of its own, which hold ISO 8859-1 only. */
const headers = JSON.stringify({ Authorization: 'Bearer sk_...' }, null, 2);

const tab = (query: string, variables: object = {}) => ({
  query: `${query.trim()}\n`,
  variables: JSON.stringify(variables, null, 2),
  headers,
});

export const tabs = [
  tab(`
# 1. Who am I? Put your API key under "Headers" below, then run this (Ctrl-Enter).
query WhoAmI {
  viewer {
    org { id slug }
    scopes
    apiKey { label prefix permissionSet }
  }
}`),
  tab(`
# 2. What is there, and what would deletePack answer for each?
query Packs {
  packs(first: 20, filter: { owned: true }) {
    nodes {
      id
      name
      version
      imageOrigin
      status
      deletionPreview {
        deletable
        image
        roles(first: 5) { nodes { id name } }
        otherOrgRoleCount
      }
    }
  }
}`),
  tab(
    `
# 3. A role that uses a pack. Put the id of one of your packs under "Variables".
mutation CreateRole($packId: ID!) {
  createAgentRole(
    input: { name: "oncall", displayName: "On call", environment: STAGING, packIds: [$packId] }
  ) {
    __typename
    ... on CreatedAgentRole {
      role { id name packs { nodes { id name } } }
    }
    ... on Error { code message }
  }
}`,
    { packId: 'pack_…' },
  ),
  tab(
    `
# 4. The pack is in use now: deletePack refuses, and names the roles that hold it.
#    Run it again after step 5, and the pack goes together with its image.
mutation DeletePack($id: ID!) {
  deletePack(id: $id) {
    __typename
    ... on DeletedPack { deletedPackId name deletedAt image }
    ... on Error { code message requestId }
    ... on PackInUse {
      roles(first: 10) { totalCount nodes { id name archivedAt } }
      otherOrgRoleCount
    }
    ... on RegistryCleanupFailed { reason retryable retryAfterSeconds attempts }
  }
}`,
    { id: 'pack_…' },
  ),
  tab(
    `
# 5. Take the pack from the role, then go back to step 4.
mutation DetachPack($roleId: ID!, $packId: ID!) {
  detachPack(roleId: $roleId, packId: $packId) {
    __typename
    ... on DetachedPack { role { name } pack { name deletionPreview { deletable image } } }
    ... on Error { code message }
  }
}`,
    { roleId: 'role_…', packId: 'pack_…' },
  ),
  tab(`
# 6. Watch it happen: run this in a second window before step 3.
subscription PackEvents {
  packEvents {
    type
    createdAt
    packId
    pack { name status }
    role { name }
  }
}`),
] as const;
