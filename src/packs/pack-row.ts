import { type OrgId, orgIds, type PackId, packIds } from '../ids.ts';
import type { Digest, RegistryFailureReason, Repository } from '../registry/registry.ts';
import type { ImageOrigin, PackStatus, PackTier, PackVisibility } from './pack.entity.ts';

/** A pack as reads see it. */
export interface PackRow {
  readonly id: PackId;
  /** Null: a pack of the platform. */
  readonly orgId: OrgId | null;
  readonly name: string;
  readonly version: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly tier: PackTier;
  readonly visibility: PackVisibility;
  readonly category: string | null;
  readonly capabilities: string | null;
  readonly suggestedPacks: readonly string[];
  readonly imageOrigin: ImageOrigin;
  readonly repository: Repository;
  readonly imageRef: string;
  readonly imageDigest: Digest | null;
  readonly sizeBytes: number;
  readonly status: PackStatus;
  readonly cleanupFailure: CleanupFailure | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Why the last purge failed. */
export interface CleanupFailure {
  readonly reason: RegistryFailureReason;
  readonly message: string;
  readonly at: Date;
  readonly attempts: number;
}

/** The columns of a pack; the table must be called `p` in the statement. */
export const packColumns = `
  p.id, p.org_id, p.name, p.version, p.display_name, p.description, p.tier, p.visibility, p.category,
  p.capabilities, p.suggested_packs, p.image_origin, p.repository, p.image_ref, p.image_digest,
  p.size_bytes, p.status, p.cleanup_reason, p.cleanup_message, p.cleanup_failed_at,
  p.cleanup_attempts, p.created_at, p.updated_at`;

/** A record that `packColumns` selects. */
export interface PackRecord {
  readonly id: string;
  readonly org_id: string | null;
  readonly name: string;
  readonly version: string;
  readonly display_name: string;
  readonly description: string | null;
  readonly tier: PackTier;
  readonly visibility: PackVisibility;
  readonly category: string | null;
  readonly capabilities: string | null;
  readonly suggested_packs: readonly string[];
  readonly image_origin: ImageOrigin;
  readonly repository: Repository;
  readonly image_ref: string;
  readonly image_digest: Digest | null;
  /** PostgreSQL's bigint arrives as text from `pg` and as a number from PGlite. */
  readonly size_bytes: string | number;
  readonly status: PackStatus;
  readonly cleanup_reason: RegistryFailureReason | null;
  readonly cleanup_message: string | null;
  readonly cleanup_failed_at: string | null;
  readonly cleanup_attempts: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export function toPackRow(record: PackRecord): PackRow {
  return {
    id: packIds.of(record.id),
    orgId: record.org_id === null ? null : orgIds.of(record.org_id),
    name: record.name,
    version: record.version,
    displayName: record.display_name,
    description: record.description,
    tier: record.tier,
    visibility: record.visibility,
    category: record.category,
    capabilities: record.capabilities,
    suggestedPacks: record.suggested_packs,
    imageOrigin: record.image_origin,
    repository: record.repository,
    imageRef: record.image_ref,
    imageDigest: record.image_digest,
    sizeBytes: Number(record.size_bytes),
    status: record.status,
    cleanupFailure: cleanupFailure(record),
    createdAt: new Date(record.created_at),
    updatedAt: new Date(record.updated_at),
  };
}

function cleanupFailure(record: PackRecord): CleanupFailure | null {
  if (record.cleanup_reason === null || record.cleanup_failed_at === null) return null;
  return {
    reason: record.cleanup_reason,
    message: record.cleanup_message ?? '',
    at: new Date(record.cleanup_failed_at),
    attempts: record.cleanup_attempts,
  };
}
