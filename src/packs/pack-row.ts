import { type OrgId, orgIds, type PackId, packIds } from '../ids.ts';
import { detail, type Extent } from '../page.ts';
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

/** The fields of a pack that a brief row has, or that need no more of it than its id and owner. */
export const briefPackFields: ReadonlySet<string> = new Set([
  'id',
  'orgId',
  'name',
  'version',
  'displayName',
  'tier',
  'visibility',
  'imageOrigin',
  'imageRef',
  'sizeBytes',
  'status',
  'createdAt',
  'owned',
  'roles',
  'deletionPreview',
  '__typename',
]);

const briefColumns = `
  p.id, p.org_id, p.name, p.version, p.display_name, p.tier, p.visibility, p.image_origin, p.image_ref,
  p.size_bytes, p.status, p.created_at`;

/** The columns of a pack; the table must be called `p` in the statement. */
export const packColumns = `${briefColumns},
  p.description, p.category, p.capabilities, p.suggested_packs, p.repository, p.image_digest,
  p.cleanup_reason, p.cleanup_message, p.cleanup_failed_at, p.cleanup_attempts, p.updated_at`;

export const packColumnsOf = (extent: Extent): string =>
  extent === 'brief' ? briefColumns : packColumns;

/** A record that `packColumns` selects. */
export interface PackRecord extends BriefPackRecord {
  readonly description: string | null;
  readonly category: string | null;
  readonly capabilities: string | null;
  readonly suggested_packs: readonly string[];
  readonly repository: Repository;
  readonly image_digest: Digest | null;
  readonly cleanup_reason: RegistryFailureReason | null;
  readonly cleanup_message: string | null;
  readonly cleanup_failed_at: string | null;
  readonly cleanup_attempts: number;
  readonly updated_at: string;
}

/** What there is of a record whatever its extent. */
export interface BriefPackRecord {
  readonly id: string;
  readonly org_id: string | null;
  readonly name: string;
  readonly version: string;
  readonly display_name: string;
  readonly tier: PackTier;
  readonly visibility: PackVisibility;
  readonly image_origin: ImageOrigin;
  readonly image_ref: string;
  /** PostgreSQL's bigint arrives as text from `pg` and as a number from PGlite. */
  readonly size_bytes: string | number;
  readonly status: PackStatus;
  readonly created_at: string;
}

export const toPackRow = (record: BriefPackRecord & Partial<PackRecord>): PackRow =>
  new PackOfRecord(record);

/** Converts what is asked for when it is asked for. */
class PackOfRecord implements PackRow {
  readonly #record: BriefPackRecord & Partial<PackRecord>;

  constructor(record: BriefPackRecord & Partial<PackRecord>) {
    this.#record = record;
  }

  get id(): PackId {
    return packIds.of(this.#record.id);
  }
  get orgId(): OrgId | null {
    const { org_id: id } = this.#record;
    return id === null ? null : orgIds.of(id);
  }
  get name(): string {
    return this.#record.name;
  }
  get version(): string {
    return this.#record.version;
  }
  get displayName(): string {
    return this.#record.display_name;
  }
  get description(): string | null {
    return detail(this.#record.description);
  }
  get tier(): PackTier {
    return this.#record.tier;
  }
  get visibility(): PackVisibility {
    return this.#record.visibility;
  }
  get category(): string | null {
    return detail(this.#record.category);
  }
  get capabilities(): string | null {
    return detail(this.#record.capabilities);
  }
  get suggestedPacks(): readonly string[] {
    return detail(this.#record.suggested_packs);
  }
  get imageOrigin(): ImageOrigin {
    return this.#record.image_origin;
  }
  get repository(): Repository {
    return detail(this.#record.repository);
  }
  get imageRef(): string {
    return this.#record.image_ref;
  }
  get imageDigest(): Digest | null {
    return detail(this.#record.image_digest);
  }
  get sizeBytes(): number {
    return Number(this.#record.size_bytes);
  }
  get status(): PackStatus {
    return this.#record.status;
  }
  get cleanupFailure(): CleanupFailure | null {
    const reason = detail(this.#record.cleanup_reason);
    const failedAt = detail(this.#record.cleanup_failed_at);
    if (reason === null || failedAt === null) return null;
    return {
      reason,
      message: this.#record.cleanup_message ?? '',
      at: new Date(failedAt),
      attempts: detail(this.#record.cleanup_attempts),
    };
  }
  get createdAt(): Date {
    return new Date(this.#record.created_at);
  }
  get updatedAt(): Date {
    return new Date(detail(this.#record.updated_at));
  }
}
