/** What Apollo and Mercurius serve: the part of the service's schema that the workloads use. */
export const typeDefs = `#graphql
  scalar Long
  input PackFilter { owned: Boolean }
  type Query {
    pack(id: ID!): Pack
    packs(first: Int!, filter: PackFilter): PackConnection!
  }
  type Mutation { deletePack(id: ID!): DeletePackResult! }
  union DeletePackResult = DeletedPack | PackInUse | NotFound
  type DeletedPack { deletedPackId: ID! name: String! image: String! }
  type PackInUse { code: String! pack: PackName! roles(first: Int = 50): AgentRoleConnection! }
  type PackName { id: ID! name: String! }
  type NotFound { code: String! }
  type PackConnection { nodes: [Pack!]! }
  type Pack {
    id: ID!
    name: String!
    displayName: String!
    version: String!
    tier: String!
    visibility: String!
    imageRef: String!
    sizeBytes: Long!
    roles(first: Int = 50): AgentRoleConnection!
  }
  type AgentRoleConnection { nodes: [AgentRole!]! }
  type AgentRole { id: ID! name: String! displayName: String! }
`;
