import type { Digest, RegistryFailureReason, Repository } from '../registry/registry.ts';
import { detail, type Extent } from './extent.ts';
import { type OrgId, orgIds, type PackId, packIds } from './ids.ts';
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
const briefPackFields: ReadonlySet<string> = new Set([
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

/**
 * An expression: a pack as one JSON array. The driver reads it in half the time that it takes for as many columns,
 * each of which it looks up, converts and names (bench/README.md). The statement must call the table `p`.
 */
export const packAsArray = (extent: Extent): string =>
  `json_build_array(p.id, p.org_id, p.name, p.version, p.display_name, p.tier, p.visibility,
    p.image_origin, p.image_ref, p.size_bytes, p.status, p.created_at${
      extent === 'brief'
        ? ''
        : `, p.description, p.category, p.suggested_packs, p.repository, p.image_digest,
    p.cleanup_reason, p.cleanup_message, p.cleanup_failed_at, p.cleanup_attempts, p.updated_at`
    }${extent === 'whole' ? ', p.capabilities' : ''})`;

/** As much of a pack as fields of it need. */
export function packExtent(fields: ReadonlySet<string>): Extent {
  if (fields.has('capabilities')) return 'whole';
  return [...fields].every((field) => briefPackFields.has(field)) ? 'brief' : 'described';
}

/** What `packAsArray` makes; a brief one ends after the twelfth, a described one before the last. */
export type PackArray = readonly [
  id: string,
  orgId: string | null,
  name: string,
  version: string,
  displayName: string,
  tier: PackTier,
  visibility: PackVisibility,
  imageOrigin: ImageOrigin,
  imageRef: string,
  sizeBytes: number,
  status: PackStatus,
  createdAt: string,
  description?: string | null,
  category?: string | null,
  suggestedPacks?: readonly string[],
  repository?: Repository,
  imageDigest?: Digest | null,
  cleanupReason?: RegistryFailureReason | null,
  cleanupMessage?: string | null,
  cleanupFailedAt?: string | null,
  cleanupAttempts?: number,
  updatedAt?: string,
  capabilities?: string | null,
];

export const packOfArray = (array: PackArray): PackRow => new Pack(array);

/** Converts what is asked for when it is asked for. */
class Pack implements PackRow {
  readonly #array: PackArray;

  constructor(array: PackArray) {
    this.#array = array;
  }

  get id(): PackId {
    return packIds.of(this.#array[0]);
  }
  get orgId(): OrgId | null {
    const id = this.#array[1];
    return id === null ? null : orgIds.of(id);
  }
  get name(): string {
    return this.#array[2];
  }
  get version(): string {
    return this.#array[3];
  }
  get displayName(): string {
    return this.#array[4];
  }
  get tier(): PackTier {
    return this.#array[5];
  }
  get visibility(): PackVisibility {
    return this.#array[6];
  }
  get imageOrigin(): ImageOrigin {
    return this.#array[7];
  }
  get imageRef(): string {
    return this.#array[8];
  }
  get sizeBytes(): number {
    return this.#array[9];
  }
  get status(): PackStatus {
    return this.#array[10];
  }
  get createdAt(): Date {
    return new Date(this.#array[11]);
  }
  get description(): string | null {
    return detail(this.#array[12]);
  }
  get category(): string | null {
    return detail(this.#array[13]);
  }
  get capabilities(): string | null {
    return detail(this.#array[22]);
  }
  get suggestedPacks(): readonly string[] {
    return detail(this.#array[14]);
  }
  get repository(): Repository {
    return detail(this.#array[15]);
  }
  get imageDigest(): Digest | null {
    return detail(this.#array[16]);
  }
  get cleanupFailure(): CleanupFailure | null {
    const reason = detail(this.#array[17]);
    const failedAt = detail(this.#array[19]);
    if (reason === null || failedAt === null) return null;
    return {
      reason,
      message: this.#array[18] ?? '',
      at: new Date(failedAt),
      attempts: detail(this.#array[20]),
    };
  }
  get updatedAt(): Date {
    return new Date(detail(this.#array[21]));
  }
}
