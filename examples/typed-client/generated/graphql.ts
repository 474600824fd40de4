/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What a key may do. */
export type ApiKeyPermissionSet =
  /** caps:write and audit:read. */
  | 'FULL_ACCESS'
  /** Every scope. The first start and `npm run rotate-owner-key` make such keys; createApiKey refuses it. */
  | 'OWNER'
  /** audit:read; reading packs and roles needs no scope. */
  | 'READ_ONLY'
  | '%future added value';

/** What happened. */
export type AuditEventType =
  /** A role was archived. */
  | 'AGENT_ROLE_ARCHIVED'
  /** A role was made. */
  | 'AGENT_ROLE_CREATED'
  /** An archived role was brought back into use. */
  | 'AGENT_ROLE_UNARCHIVED'
  /** A role was changed. */
  | 'AGENT_ROLE_UPDATED'
  /** A key was made. */
  | 'API_KEY_CREATED'
  /** A key was revoked. */
  | 'API_KEY_REVOKED'
  /** Events that were too old were removed; details say how many. */
  | 'AUDIT_PRUNED'
  /** A pack got its next version from an archive. */
  | 'PACK_ARCHIVE_REPLACED'
  /** A role was given a pack. */
  | 'PACK_ATTACHED'
  /** The registry failed; the pack is kept. */
  | 'PACK_CLEANUP_FAILED'
  /** A pack was made as a copy of another. */
  | 'PACK_CLONED'
  /** A pack was made of an existing image. */
  | 'PACK_CREATED'
  /** The pack is gone. There is exactly one such event for a pack. */
  | 'PACK_DELETED'
  /** A deletion began to purge the image. */
  | 'PACK_DELETION_STARTED'
  /** A pack was taken from a role. */
  | 'PACK_DETACHED'
  /** A file was taken out of a pack. */
  | 'PACK_FILE_DELETED'
  /** A file of a pack was changed or added. */
  | 'PACK_FILE_REPLACED'
  /** A pack got another image. */
  | 'PACK_IMAGE_REPLACED'
  /** A pack was made of an archive. */
  | 'PACK_UPLOADED'
  /** A pack was shared, or is no longer shared. */
  | 'PACK_VISIBILITY_CHANGED'
  | '%future added value';

/** A new role. */
export type CreateAgentRoleInput = {
  /** What it is for. */
  description?: string | null | undefined;
  /** The name for people; the name itself when left out. */
  displayName?: string | null | undefined;
  /** Where its agents run. */
  environment?: RoleEnvironment;
  /** Unique in the org; must be 1 to 63 of a-z, 0-9, ".", "_" and "-", and start and end with a letter or digit. */
  name: string;
  /** Its first packs: all of them are attached, or the role is not made. */
  packIds?: Array<string>;
};

/** Every code there is, in `errors[].extensions.code` as well. REST writes the same ones in lower case. */
export type ErrorCode =
  /** Carried by NotFound. */
  | 'AGENT_ROLE_NOT_FOUND'
  /** Carried by NotFound. */
  | 'API_KEY_NOT_FOUND'
  /** The request is malformed, as the message says. */
  | 'BAD_REQUEST'
  /** Only documents on the list of the server are run (TRUSTED_DOCUMENTS). */
  | 'DOCUMENT_NOT_TRUSTED'
  /** The operation asks for too much; the message says of what. Ask for less. */
  | 'GRAPHQL_LIMIT_EXCEEDED'
  /** The document is not GraphQL. */
  | 'GRAPHQL_PARSE_FAILED'
  /** The document, or a variable, does not fit the schema. */
  | 'GRAPHQL_VALIDATION_FAILED'
  /** A fault of this service. Quote the requestId to its operator. */
  | 'INTERNAL_ERROR'
  /** This HTTP method is not accepted here: send mutations by POST. */
  | 'METHOD_NOT_ALLOWED'
  /** Carried by NameTaken. */
  | 'NAME_TAKEN'
  /** The answer exists in none of the media types that the client accepts. */
  | 'NOT_ACCEPTABLE'
  /** Carried by NotArchived. */
  | 'NOT_ARCHIVED'
  /** Carried by PackBeingDeleted. */
  | 'PACK_BEING_DELETED'
  /** Carried by NotFound. */
  | 'PACK_FILE_NOT_FOUND'
  /** Carried by PackInUse. */
  | 'PACK_IN_USE'
  /** Carried by PackNotEditable. */
  | 'PACK_NOT_EDITABLE'
  /** Carried by NotFound. */
  | 'PACK_NOT_FOUND'
  /** The body or file is too large. */
  | 'PAYLOAD_TOO_LARGE'
  /** The caller lacks a scope; `requiredScopes` names it. Use another key. */
  | 'PERMISSION_DENIED'
  /** The hash is not on the list of this server, and nothing else is run (TRUSTED_DOCUMENTS). */
  | 'PERSISTED_QUERY_NOT_FOUND'
  /** Queries are not stored under a hash. Send the query itself. */
  | 'PERSISTED_QUERY_NOT_SUPPORTED'
  /** What was to be changed has changed meanwhile (REST: If-Match). Read it again. */
  | 'PRECONDITION_FAILED'
  /** Too many requests. Wait, then try again. */
  | 'RATE_LIMITED'
  /** Carried by RegistryCleanupFailed. */
  | 'REGISTRY_CLEANUP_FAILED'
  /** Carried by RegistryUnavailable. */
  | 'REGISTRY_UNAVAILABLE'
  /** There is nothing at this path. */
  | 'ROUTE_NOT_FOUND'
  /** Something that this service needs is down. Try again later. */
  | 'SERVICE_UNAVAILABLE'
  /** No key or session, or one that is not valid (any more). Send another. */
  | 'UNAUTHENTICATED'
  /** The body is of a media type that is not understood here. */
  | 'UNSUPPORTED_MEDIA_TYPE'
  /** Carried by ValidationFailed. */
  | 'VALIDATION_ERROR'
  | '%future added value';

/** What becomes of the image of a deleted pack. */
export type ImageDisposition =
  /** The registry no longer had it. */
  | 'ALREADY_GONE'
  /** Kept, because it was not uploaded here. */
  | 'NOT_MANAGED'
  /** Removed from the registry, with its tags and what refers to it. */
  | 'PURGED'
  /** Kept, because another pack points at the same image, or an index that somebody tagged names it. */
  | 'RETAINED_SHARED'
  | '%future added value';

/** Where the image of a pack came from. */
export type ImageOrigin =
  /** Copied from another pack: never purged by this service. */
  | 'CLONE'
  /** An existing image: never purged by this service. */
  | 'IMAGE_REF'
  /** Uploaded here: purged from the registry together with the pack. */
  | 'UPLOAD'
  | '%future added value';

/** Which packs to list; everything given must hold. */
export type PackFilter = {
  /** Only packs of exactly this category. */
  category?: string | null | undefined;
  /** Only packs of this image origin. */
  imageOrigin?: ImageOrigin | null | undefined;
  /** Only packs whose name holds this text. */
  nameContains?: string | null | undefined;
  /** Only packs with one of these names, at most 200. */
  names?: Array<string> | null | undefined;
  /** Only the caller's own packs, or only those of others. */
  owned?: boolean | null | undefined;
  /** Only packs in this state. */
  status?: PackStatus | null | undefined;
  /** Only packs of this tier. */
  tier?: PackTier | null | undefined;
  /** Only packs of this visibility. */
  visibility?: PackVisibility | null | undefined;
};

/** Whether a pack can be used. */
export type PackStatus =
  /** It can be read, attached, cloned and changed. */
  | 'ACTIVE'
  /** The registry failed (cleanupFailure says how). Call deletePack again to resume. */
  | 'CLEANUP_FAILED'
  /** Its image is being purged. Call deletePack again to finish. */
  | 'DELETING'
  | '%future added value';

/** How much the platform vouches for a pack. */
export type PackTier =
  /** Made by its org; nobody else has looked at it. */
  | 'COMMUNITY'
  /** Chosen by the platform. */
  | 'RECOMMENDED'
  /** Checked by the platform. */
  | 'VERIFIED'
  | '%future added value';

/** Who may read and attach a pack; only its owner may ever change it. */
export type PackVisibility =
  /** Every org. */
  | 'COMMUNITY'
  /** The owning org. */
  | 'ORG'
  | '%future added value';

/** Why the registry did not do what it was asked. */
export type RegistryFailureReason =
  /** The registry is configured to refuse deletions. */
  | 'DELETE_UNSUPPORTED'
  /** Too many requests; retryAfterSeconds says when to come back. */
  | 'RATE_LIMITED'
  /** Any other refusal, or an answer that makes no sense. */
  | 'REGISTRY_ERROR'
  /** No complete answer within the deadline. */
  | 'TIMEOUT'
  /** The credentials are refused, or lack the right to do this. */
  | 'UNAUTHORIZED'
  /** No connection: refused, reset, unknown host or untrusted TLS. */
  | 'UNREACHABLE'
  | '%future added value';

/** Where the agents of a role run. */
export type RoleEnvironment =
  /** For trying things out. */
  | 'DEVELOPMENT'
  /** For real. */
  | 'PRODUCTION'
  /** For rehearsal. */
  | 'STAGING'
  | '%future added value';

/** What to change; a field left out stays as it is. */
export type UpdateAgentRoleInput = {
  /** What it is for; null empties it. */
  description?: string | null | undefined;
  /** The name for people. */
  displayName?: string | null | undefined;
  /** Where its agents run. */
  environment?: RoleEnvironment | null | undefined;
  /** Unique in the org; must be 1 to 63 of a-z, 0-9, ".", "_" and "-", and start and end with a letter or digit. */
  name?: string | null | undefined;
  /** All its packs: those not named are detached. All of it happens, or nothing. */
  packIds?: Array<string> | null | undefined;
};

export type ArchiveAgentRoleMutationVariables = Exact<{
  roleId: string;
}>;


export type ArchiveAgentRoleMutation = { archiveAgentRole:
    | { __typename: 'ArchivedAgentRole', role: { id: string, name: string, archivedAt: string | null } }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
   };

export type AttachPackMutationVariables = Exact<{
  roleId: string;
  packId: string;
}>;


export type AttachPackMutation = { attachPack:
    | { __typename: 'AttachedPack', role: { id: string, name: string }, pack: { id: string, name: string } }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
   };

export type ClonePackMutationVariables = Exact<{
  packId: string;
  name?: string | null | undefined;
}>;


export type ClonePackMutation = { clonePack:
    | { __typename: 'ClonedPack', pack: { id: string, name: string, version: string, imageRef: string, visibility: PackVisibility } }
    | { __typename: 'NameTaken', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RegistryUnavailable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type CreateAgentRoleMutationVariables = Exact<{
  input: CreateAgentRoleInput;
}>;


export type CreateAgentRoleMutation = { createAgentRole:
    | { __typename: 'CreatedAgentRole', role: { id: string, name: string, environment: RoleEnvironment, packs: { nodes: Array<{ id: string, name: string }> } } }
    | { __typename: 'NameTaken', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type CreateApiKeyMutationVariables = Exact<{
  label: string;
  permissionSet?: ApiKeyPermissionSet;
}>;


export type CreateApiKeyMutation = { createApiKey:
    | { __typename: 'CreatedApiKey', secret: string, key: { id: string, label: string, prefix: string, permissionSet: ApiKeyPermissionSet } }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type CreatePackFromImageMutationVariables = Exact<{
  imageRef: string;
  visibility?: PackVisibility;
}>;


export type CreatePackFromImageMutation = { createPackFromImage:
    | { __typename: 'CreatedPack', pack: { id: string, name: string, version: string, imageRef: string, visibility: PackVisibility } }
    | { __typename: 'NameTaken', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RegistryUnavailable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type DeletePackFileMutationVariables = Exact<{
  packId: string;
  path: string;
}>;


export type DeletePackFileMutation = { deletePackFile:
    | { __typename: 'DeletedPackFile', pack: { id: string, version: string, imageDigest: string | null } }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackNotEditable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RegistryUnavailable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type DeletePackMutationVariables = Exact<{
  packId: string;
}>;


export type DeletePackMutation = { deletePack:
    | { __typename: 'DeletedPack', deletedPackId: string, name: string, deletedAt: string, image: ImageDisposition }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackInUse', code: ErrorCode, message: string, requestId: string, otherOrgRoleCount: number, roles: { totalCount: number, nodes: Array<{ id: string, name: string, archivedAt: string | null }> } }
    | { __typename: 'RegistryCleanupFailed', code: ErrorCode, message: string, requestId: string, reason: RegistryFailureReason, retryable: boolean, retryAfterSeconds: number | null, attempts: number }
   };

export type DetachPackFromRolesMutationVariables = Exact<{
  packId: string;
  roleIds?: Array<string> | string | null | undefined;
}>;


export type DetachPackFromRolesMutation = { detachPackFromRoles:
    | { __typename: 'DetachedPackFromRoles', roleCount: number, pack: { id: string, name: string } }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type DetachPackMutationVariables = Exact<{
  roleId: string;
  packId: string;
}>;


export type DetachPackMutation = { detachPack:
    | { __typename: 'DetachedPack', role: { id: string, name: string }, pack: { id: string, name: string } }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
   };

export type FindByNameQueryVariables = Exact<{
  packName: string;
  roleName: string;
}>;


export type FindByNameQuery = { packByName: { id: string, version: string, status: PackStatus } | null, agentRoleByName: { id: string, displayName: string, environment: RoleEnvironment } | null };

export type ListAgentRolesQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  includeArchived?: boolean | null | undefined;
}>;


export type ListAgentRolesQuery = { agentRoles: { nodes: Array<{ id: string, name: string, environment: RoleEnvironment, archivedAt: string | null, packs: { totalCount: number, nodes: Array<{ id: string, name: string, version: string }> } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ListApiKeysQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ListApiKeysQuery = { apiKeys: { nodes: Array<{ id: string, label: string, prefix: string, permissionSet: ApiKeyPermissionSet, createdAt: string, lastUsedAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null };

export type ListPacksQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: PackFilter | null | undefined;
}>;


export type ListPacksQuery = { packs: { totalCount: number, nodes: Array<{ id: string, name: string, version: string, owned: boolean, visibility: PackVisibility, status: PackStatus }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type PackFilesQueryVariables = Exact<{
  packId: string;
  under?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type PackFilesQuery = { pack: { name: string, version: string, files: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ path: string, size: number, mediaType: string, executable: boolean }> } | null, file: { text: string | null } | null } | null };

export type PackHistoryQueryVariables = Exact<{
  packId: string;
  first?: number | null | undefined;
}>;


export type PackHistoryQuery = { auditEvents: { nodes: Array<{ type: AuditEventType, actor: string, requestId: string, details: unknown, createdAt: string }> } | null };

export type PreviewDeletionQueryVariables = Exact<{
  packId: string;
}>;


export type PreviewDeletionQuery = { pack: { name: string, status: PackStatus, cleanupFailure: { reason: RegistryFailureReason, message: string, attempts: number } | null, deletionPreview: { deletable: boolean, image: ImageDisposition, otherOrgRoleCount: number, roles: { totalCount: number, nodes: Array<{ id: string, name: string, archivedAt: string | null }> } } | null } | null };

export type ReplacePackArchiveMutationVariables = Exact<{
  packId: string;
  archive: File;
}>;


export type ReplacePackArchiveMutation = { replacePackArchive:
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackNotEditable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RegistryUnavailable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ReplacedPackArchive', pack: { id: string, name: string, version: string, imageDigest: string | null } }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type ReplacePackFileMutationVariables = Exact<{
  packId: string;
  path: string;
  content: File;
}>;


export type ReplacePackFileMutation = { replacePackFile:
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackNotEditable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RegistryUnavailable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ReplacedPackFile', pack: { id: string, version: string, imageDigest: string | null }, file: { path: string, size: number, mediaType: string } }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type ReplacePackImageMutationVariables = Exact<{
  packId: string;
  imageRef: string;
}>;


export type ReplacePackImageMutation = { replacePackImage:
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RegistryUnavailable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'ReplacedPackImage', pack: { id: string, name: string, version: string, imageRef: string, visibility: PackVisibility } }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type RevokeApiKeyMutationVariables = Exact<{
  keyId: string;
}>;


export type RevokeApiKeyMutation = { revokeApiKey:
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RevokedApiKey', key: { id: string, label: string, prefix: string, permissionSet: ApiKeyPermissionSet } }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type UnarchiveAgentRoleMutationVariables = Exact<{
  roleId: string;
}>;


export type UnarchiveAgentRoleMutation = { unarchiveAgentRole:
    | { __typename: 'NotArchived', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'UnarchivedAgentRole', role: { id: string, name: string, archivedAt: string | null } }
   };

export type UpdateAgentRoleMutationVariables = Exact<{
  roleId: string;
  changes: UpdateAgentRoleInput;
}>;


export type UpdateAgentRoleMutation = { updateAgentRole:
    | { __typename: 'NameTaken', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'UpdatedAgentRole', role: { id: string, name: string, displayName: string, environment: RoleEnvironment, archivedAt: string | null } }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type UpdatePackVisibilityMutationVariables = Exact<{
  packId: string;
  visibility?: PackVisibility;
}>;


export type UpdatePackVisibilityMutation = { updatePackVisibility:
    | { __typename: 'NotFound', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackInUse', code: ErrorCode, message: string, requestId: string, otherOrgRoleCount: number }
    | { __typename: 'UpdatedPackVisibility', pack: { id: string, name: string, version: string, imageRef: string, visibility: PackVisibility } }
   };

export type UploadPackMutationVariables = Exact<{
  archive: File;
  visibility?: PackVisibility;
}>;


export type UploadPackMutation = { uploadPack:
    | { __typename: 'NameTaken', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'PackBeingDeleted', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'RegistryUnavailable', code: ErrorCode, message: string, requestId: string }
    | { __typename: 'UploadedPack', pack: { id: string, name: string, version: string, imageRef: string, imageDigest: string | null, sizeBytes: number } }
    | { __typename: 'ValidationFailed', code: ErrorCode, message: string, requestId: string, fields: Array<{ path: string, message: string }> }
   };

export type WatchPacksSubscriptionVariables = Exact<{
  packId?: string | null | undefined;
  types?: Array<AuditEventType> | AuditEventType | null | undefined;
}>;


export type WatchPacksSubscription = { packEvents: { auditEventId: string, type: AuditEventType, packId: string, createdAt: string, pack: { id: string, name: string, version: string, status: PackStatus } | null, role: { id: string, name: string } | null } };

export type WatchRolesSubscriptionVariables = Exact<{
  roleId?: string | null | undefined;
  types?: Array<AuditEventType> | AuditEventType | null | undefined;
}>;


export type WatchRolesSubscription = { roleEvents: { auditEventId: string, type: AuditEventType, roleId: string, packId: string | null, createdAt: string, role: { id: string, name: string, archivedAt: string | null } | null, pack: { id: string, name: string } | null } };

export type WhoAmIQueryVariables = Exact<{ [key: string]: never; }>;


export type WhoAmIQuery = { viewer: { scopes: Array<string>, userId: string | null, org: { id: string, slug: string }, apiKey: { label: string, permissionSet: ApiKeyPermissionSet } | null } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const ArchiveAgentRoleDocument = new TypedDocumentString(`
    mutation ArchiveAgentRole($roleId: ID!) {
  archiveAgentRole(id: $roleId) {
    __typename
    ... on ArchivedAgentRole {
      role {
        id
        name
        archivedAt
      }
    }
    ... on Error {
      code
      message
      requestId
    }
  }
}
    `, {"hash":"sha256:c285bd03b68f688873dadbe31b1db16730574485fd28e237f7ebaa1ac665df04"}) as unknown as TypedDocumentString<ArchiveAgentRoleMutation, ArchiveAgentRoleMutationVariables>;
export const AttachPackDocument = new TypedDocumentString(`
    mutation AttachPack($roleId: ID!, $packId: ID!) {
  attachPack(roleId: $roleId, packId: $packId) {
    __typename
    ... on AttachedPack {
      role {
        id
        name
      }
      pack {
        id
        name
      }
    }
    ... on Error {
      code
      message
      requestId
    }
  }
}
    `, {"hash":"sha256:691ca26147ca68f58101644b4d19c46dd7f739e884a2180941dc58137ea52535"}) as unknown as TypedDocumentString<AttachPackMutation, AttachPackMutationVariables>;
export const ClonePackDocument = new TypedDocumentString(`
    mutation ClonePack($packId: ID!, $name: String) {
  clonePack(id: $packId, name: $name) {
    __typename
    ... on ClonedPack {
      pack {
        id
        name
        version
        imageRef
        visibility
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:6f993705047982d307ec827dafb737a0a441cba7aabcb05d6de83a999801cbee"}) as unknown as TypedDocumentString<ClonePackMutation, ClonePackMutationVariables>;
export const CreateAgentRoleDocument = new TypedDocumentString(`
    mutation CreateAgentRole($input: CreateAgentRoleInput!) {
  createAgentRole(input: $input) {
    __typename
    ... on CreatedAgentRole {
      role {
        id
        name
        environment
        packs(first: 10) {
          nodes {
            id
            name
          }
        }
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:5d46c76213a913d4b6d4395cc36d409c0d841f7298bba29401869545fd9e7a54"}) as unknown as TypedDocumentString<CreateAgentRoleMutation, CreateAgentRoleMutationVariables>;
export const CreateApiKeyDocument = new TypedDocumentString(`
    mutation CreateApiKey($label: String!, $permissionSet: ApiKeyPermissionSet! = READ_ONLY) {
  createApiKey(label: $label, permissionSet: $permissionSet) {
    __typename
    ... on CreatedApiKey {
      key {
        id
        label
        prefix
        permissionSet
      }
      secret
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:0439dc0fb9d97a076118c314868248e6f0a4d21abfd97d807f570ee820700b5f"}) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const CreatePackFromImageDocument = new TypedDocumentString(`
    mutation CreatePackFromImage($imageRef: String!, $visibility: PackVisibility! = ORG) {
  createPackFromImage(imageRef: $imageRef, visibility: $visibility) {
    __typename
    ... on CreatedPack {
      pack {
        id
        name
        version
        imageRef
        visibility
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:443a246382a1b318ff78a266de71d43d8f9044d3525112b7e21b3163106b1e64"}) as unknown as TypedDocumentString<CreatePackFromImageMutation, CreatePackFromImageMutationVariables>;
export const DeletePackFileDocument = new TypedDocumentString(`
    mutation DeletePackFile($packId: ID!, $path: String!) {
  deletePackFile(id: $packId, path: $path) {
    __typename
    ... on DeletedPackFile {
      pack {
        id
        version
        imageDigest
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:75b89d2c55886a777627bc21416b498bdfa61bd176bd935c029a660ad3419f81"}) as unknown as TypedDocumentString<DeletePackFileMutation, DeletePackFileMutationVariables>;
export const DeletePackDocument = new TypedDocumentString(`
    mutation DeletePack($packId: ID!) {
  deletePack(id: $packId) {
    __typename
    ... on DeletedPack {
      deletedPackId
      name
      deletedAt
      image
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on PackInUse {
      roles(first: 10) {
        totalCount
        nodes {
          id
          name
          archivedAt
        }
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
}
    `, {"hash":"sha256:14dee70c993f289e151c852ab4d73a779ce01ce73ce173438e6a475742411258"}) as unknown as TypedDocumentString<DeletePackMutation, DeletePackMutationVariables>;
export const DetachPackFromRolesDocument = new TypedDocumentString(`
    mutation DetachPackFromRoles($packId: ID!, $roleIds: [ID!]) {
  detachPackFromRoles(packId: $packId, roleIds: $roleIds) {
    __typename
    ... on DetachedPackFromRoles {
      roleCount
      pack {
        id
        name
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:c3db846bfa49a0d03138afd2543cffb800fbd05bdb883427c973b44fa228a25f"}) as unknown as TypedDocumentString<DetachPackFromRolesMutation, DetachPackFromRolesMutationVariables>;
export const DetachPackDocument = new TypedDocumentString(`
    mutation DetachPack($roleId: ID!, $packId: ID!) {
  detachPack(roleId: $roleId, packId: $packId) {
    __typename
    ... on DetachedPack {
      role {
        id
        name
      }
      pack {
        id
        name
      }
    }
    ... on Error {
      code
      message
      requestId
    }
  }
}
    `, {"hash":"sha256:577ce9a4df2241ee172f9ad0017dfe601ce9b53742f868da2a3731f478be3503"}) as unknown as TypedDocumentString<DetachPackMutation, DetachPackMutationVariables>;
export const FindByNameDocument = new TypedDocumentString(`
    query FindByName($packName: String!, $roleName: String!) {
  packByName(name: $packName) {
    id
    version
    status
  }
  agentRoleByName(name: $roleName) {
    id
    displayName
    environment
  }
}
    `, {"hash":"sha256:578b40758e04dae2ed2ed7e375cc4b4cc082c8790302760b6fc9c33d0d9f690e"}) as unknown as TypedDocumentString<FindByNameQuery, FindByNameQueryVariables>;
export const ListAgentRolesDocument = new TypedDocumentString(`
    query ListAgentRoles($first: Int = 20, $after: String, $includeArchived: Boolean = false) {
  agentRoles(first: $first, after: $after, includeArchived: $includeArchived) {
    nodes {
      id
      name
      environment
      archivedAt
      packs(first: 10) {
        totalCount
        nodes {
          id
          name
          version
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `, {"hash":"sha256:d59f46cd46fd82a94a0e80b6718ddac8d8737825ccced68129064a0b4e36084c"}) as unknown as TypedDocumentString<ListAgentRolesQuery, ListAgentRolesQueryVariables>;
export const ListApiKeysDocument = new TypedDocumentString(`
    query ListApiKeys($first: Int = 20, $after: String) {
  apiKeys(first: $first, after: $after) {
    nodes {
      id
      label
      prefix
      permissionSet
      createdAt
      lastUsedAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `, {"hash":"sha256:94b10ff0ab9293c8babf0818928fe8abef52fe918a5465bb8875393390eeb8f8"}) as unknown as TypedDocumentString<ListApiKeysQuery, ListApiKeysQueryVariables>;
export const ListPacksDocument = new TypedDocumentString(`
    query ListPacks($first: Int = 20, $after: String, $filter: PackFilter) {
  packs(first: $first, after: $after, filter: $filter) {
    totalCount
    nodes {
      id
      name
      version
      owned
      visibility
      status
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `, {"hash":"sha256:8d5db0faf18c4c164e2a8ee4e80dd76927b316d2e78cbbc80c3d23f3d4d68b78"}) as unknown as TypedDocumentString<ListPacksQuery, ListPacksQueryVariables>;
export const PackFilesDocument = new TypedDocumentString(`
    query PackFiles($packId: ID!, $under: String, $after: String) {
  pack(id: $packId) {
    name
    version
    files(first: 50, after: $after, under: $under) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        path
        size
        mediaType
        executable
      }
    }
    file(path: "behavior.md") {
      text
    }
  }
}
    `, {"hash":"sha256:e3d2acc48f5a9228099ef5bfb1bd7cdff8e866dfd8367c2c1e56c5ec606c9825"}) as unknown as TypedDocumentString<PackFilesQuery, PackFilesQueryVariables>;
export const PackHistoryDocument = new TypedDocumentString(`
    query PackHistory($packId: ID!, $first: Int = 20) {
  auditEvents(first: $first, filter: {subjectId: $packId}) {
    nodes {
      type
      actor
      requestId
      details
      createdAt
    }
  }
}
    `, {"hash":"sha256:86401412a4423ff21a59d40a20a427ee83525f1da8bd1a17ccebd683cfc56a67"}) as unknown as TypedDocumentString<PackHistoryQuery, PackHistoryQueryVariables>;
export const PreviewDeletionDocument = new TypedDocumentString(`
    query PreviewDeletion($packId: ID!) {
  pack(id: $packId) {
    name
    status
    cleanupFailure {
      reason
      message
      attempts
    }
    deletionPreview {
      deletable
      image
      roles(first: 10) {
        totalCount
        nodes {
          id
          name
          archivedAt
        }
      }
      otherOrgRoleCount
    }
  }
}
    `, {"hash":"sha256:7d3b37d78478ca6c958c2d57884708f0508a44283750fe88b78f62f598cd98fd"}) as unknown as TypedDocumentString<PreviewDeletionQuery, PreviewDeletionQueryVariables>;
export const ReplacePackArchiveDocument = new TypedDocumentString(`
    mutation ReplacePackArchive($packId: ID!, $archive: File!) {
  replacePackArchive(id: $packId, archive: $archive) {
    __typename
    ... on ReplacedPackArchive {
      pack {
        id
        name
        version
        imageDigest
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:b043e731ba1fef175079f861689a735155dc5fb1cefaf3d8b73b3dc3860e4317"}) as unknown as TypedDocumentString<ReplacePackArchiveMutation, ReplacePackArchiveMutationVariables>;
export const ReplacePackFileDocument = new TypedDocumentString(`
    mutation ReplacePackFile($packId: ID!, $path: String!, $content: File!) {
  replacePackFile(id: $packId, path: $path, content: $content) {
    __typename
    ... on ReplacedPackFile {
      pack {
        id
        version
        imageDigest
      }
      file {
        path
        size
        mediaType
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:f236a84b8608e8f98beb722be6b58421d726c02ddb5cf54ded29abd68da37151"}) as unknown as TypedDocumentString<ReplacePackFileMutation, ReplacePackFileMutationVariables>;
export const ReplacePackImageDocument = new TypedDocumentString(`
    mutation ReplacePackImage($packId: ID!, $imageRef: String!) {
  replacePackImage(id: $packId, imageRef: $imageRef) {
    __typename
    ... on ReplacedPackImage {
      pack {
        id
        name
        version
        imageRef
        visibility
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:f6c582ea7c6409b2a955ea03c83c5cc843b9955a955e211aa572384a85640018"}) as unknown as TypedDocumentString<ReplacePackImageMutation, ReplacePackImageMutationVariables>;
export const RevokeApiKeyDocument = new TypedDocumentString(`
    mutation RevokeApiKey($keyId: ID!) {
  revokeApiKey(id: $keyId) {
    __typename
    ... on RevokedApiKey {
      key {
        id
        label
        prefix
        permissionSet
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:131d58925f2e02f4ee233965c88a1d5ab848123da7a040b5c59439974d6d9353"}) as unknown as TypedDocumentString<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;
export const UnarchiveAgentRoleDocument = new TypedDocumentString(`
    mutation UnarchiveAgentRole($roleId: ID!) {
  unarchiveAgentRole(id: $roleId) {
    __typename
    ... on UnarchivedAgentRole {
      role {
        id
        name
        archivedAt
      }
    }
    ... on Error {
      code
      message
      requestId
    }
  }
}
    `, {"hash":"sha256:d7ee88b557dba95dc943e2003d931d7f944b82465f78cd0c25c53680304abf55"}) as unknown as TypedDocumentString<UnarchiveAgentRoleMutation, UnarchiveAgentRoleMutationVariables>;
export const UpdateAgentRoleDocument = new TypedDocumentString(`
    mutation UpdateAgentRole($roleId: ID!, $changes: UpdateAgentRoleInput!) {
  updateAgentRole(id: $roleId, input: $changes) {
    __typename
    ... on UpdatedAgentRole {
      role {
        id
        name
        displayName
        environment
        archivedAt
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:d13a520e223442f3f97d08bc12a9f38436edf99a4466a0590d1c0b8addb91a01"}) as unknown as TypedDocumentString<UpdateAgentRoleMutation, UpdateAgentRoleMutationVariables>;
export const UpdatePackVisibilityDocument = new TypedDocumentString(`
    mutation UpdatePackVisibility($packId: ID!, $visibility: PackVisibility! = COMMUNITY) {
  updatePackVisibility(id: $packId, visibility: $visibility) {
    __typename
    ... on UpdatedPackVisibility {
      pack {
        id
        name
        version
        imageRef
        visibility
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on PackInUse {
      otherOrgRoleCount
    }
  }
}
    `, {"hash":"sha256:ffcb9c3a9500aab3321d9271aa392972134bf819c5355f1d0845b1b6e0667054"}) as unknown as TypedDocumentString<UpdatePackVisibilityMutation, UpdatePackVisibilityMutationVariables>;
export const UploadPackDocument = new TypedDocumentString(`
    mutation UploadPack($archive: File!, $visibility: PackVisibility! = ORG) {
  uploadPack(archive: $archive, visibility: $visibility) {
    __typename
    ... on UploadedPack {
      pack {
        id
        name
        version
        imageRef
        imageDigest
        sizeBytes
      }
    }
    ... on Error {
      code
      message
      requestId
    }
    ... on ValidationFailed {
      fields {
        path
        message
      }
    }
  }
}
    `, {"hash":"sha256:690e2a3254b5dbc859f49a455784504d642cad4dfa7d10e51345e9c82af32735"}) as unknown as TypedDocumentString<UploadPackMutation, UploadPackMutationVariables>;
export const WatchPacksDocument = new TypedDocumentString(`
    subscription WatchPacks($packId: ID, $types: [AuditEventType!]) {
  packEvents(packId: $packId, types: $types) {
    auditEventId
    type
    packId
    pack {
      id
      name
      version
      status
    }
    role {
      id
      name
    }
    createdAt
  }
}
    `, {"hash":"sha256:ff80e91c0d2cf2c97035d5193696a18e59f6b39759ead8070ad5152b4269d80d"}) as unknown as TypedDocumentString<WatchPacksSubscription, WatchPacksSubscriptionVariables>;
export const WatchRolesDocument = new TypedDocumentString(`
    subscription WatchRoles($roleId: ID, $types: [AuditEventType!]) {
  roleEvents(roleId: $roleId, types: $types) {
    auditEventId
    type
    roleId
    role {
      id
      name
      archivedAt
    }
    packId
    pack {
      id
      name
    }
    createdAt
  }
}
    `, {"hash":"sha256:323802295c87a6a2101520769940742bcef08954158eb107678c4c015bc14b3e"}) as unknown as TypedDocumentString<WatchRolesSubscription, WatchRolesSubscriptionVariables>;
export const WhoAmIDocument = new TypedDocumentString(`
    query WhoAmI {
  viewer {
    org {
      id
      slug
    }
    scopes
    apiKey {
      label
      permissionSet
    }
    userId
  }
}
    `, {"hash":"sha256:1528f2643b6ee6eaa8aac905c3de2b19b17154541476b96dd527aa8f1b3a894c"}) as unknown as TypedDocumentString<WhoAmIQuery, WhoAmIQueryVariables>;