/** What GraphiQL opens with: the story of a pack's deletion, one step a tab. The tests run each of them. */

const tab = (query: string, variables: object = {}) => ({
  query: `${query.trim()}\n`,
  variables: JSON.stringify(variables, null, 2),
});

export const tabs = [
  tab(`
# 1. Who am I? Type your key above,
#    then run this (Ctrl-Enter).
query WhoAmI {
  viewer {
    org { id slug }
    scopes
    apiKey { label prefix permissionSet }
  }
}`),
  tab(`
# 2. A new pack: pick its .tar.gz
#    above. The file fills $archive.
mutation UploadPack($archive: File!) {
  uploadPack(archive: $archive) {
    __typename
    ... on UploadedPack {
      pack {
        id
        name
        version
        files(first: 10) { nodes { path size } }
      }
    }
    ... on Error { code message }
    ... on ValidationFailed { fields { path message } }
  }
}`),
  tab(`
# 3. What is there, and what would
#    deletePack answer for each?
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
# 4. A role that uses a pack. Put the
#    id of yours under "Variables".
mutation CreateRole($packId: ID!) {
  createAgentRole(
    input: {
      name: "oncall"
      displayName: "On call"
      environment: STAGING
      packIds: [$packId]
    }
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
# 5. The pack is in use: deletePack
#    refuses, and names its roles.
#    Run it again after step 6, and
#    it goes together with its image.
mutation DeletePack($packId: ID!) {
  deletePack(id: $packId) {
    __typename
    ... on DeletedPack {
      deletedPackId
      name
      deletedAt
      image
    }
    ... on Error { code message requestId }
    ... on PackInUse {
      roles(first: 10) {
        totalCount
        nodes { id name archivedAt }
      }
      otherOrgRoleCount
    }
    ... on RegistryCleanupFailed {
      reason
      retryable
      retryAfterSeconds
      attempts
    }
  }
}`,
    { packId: 'pack_…' },
  ),
  tab(
    `
# 6. Take the pack from all roles of
#    the org, then go back to step 5.
mutation DetachPackFromRoles($packId: ID!) {
  detachPackFromRoles(packId: $packId) {
    __typename
    ... on DetachedPackFromRoles {
      roleCount
      pack { name deletionPreview { deletable image } }
    }
    ... on Error { code message }
  }
}`,
    { packId: 'pack_…' },
  ),
  tab(`
# 7. Watch it happen: run this in a
#    second window before step 2.
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
