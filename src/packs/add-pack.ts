import type { SqlEntityManager } from '@mikro-orm/sql';
import { recordEvent } from '../audit/record-event.ts';
import { type Lease, releaseLease } from '../database/repository-lease.ts';
import { isUniqueViolation } from '../database/sql-state.ts';
import type { Caller } from '../identity/caller.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import { type OrgId, packIds } from '../model/ids.ts';
import {
  type ImageOrigin,
  Pack,
  type PackTier,
  type PackVisibility,
} from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest, Repository } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { eventDetails } from './event-details.ts';
import { nameProblem, nameTaken } from './name-problem.ts';
import type { PackMetadata } from './pack-metadata.ts';

export interface NewPack {
  readonly metadata: PackMetadata;
  readonly visibility: PackVisibility;
  readonly image: {
    readonly origin: ImageOrigin;
    /** With its host, where that is not the configured registry's own. */
    readonly repository: Repository;
    readonly ref: string;
    readonly digest: Digest;
    readonly sizeBytes: number;
  };
}

/** Adds a pack to the unit of work of `em`. */
export const insertPack = (
  em: SqlEntityManager,
  org: OrgId | null,
  tier: PackTier,
  { metadata, visibility, image }: NewPack,
): Pack =>
  em.create(Pack, {
    id: packIds.create(),
    org,
    name: metadata.name,
    tier,
    visibility,
    ...describedBy(metadata),
    imageOrigin: image.origin,
    repository: image.repository,
    imageRef: image.ref,
    imageDigest: image.digest,
    sizeBytes: image.sizeBytes,
    status: 'ACTIVE',
    cleanupReason: null,
    cleanupMessage: null,
    cleanupFailedAt: null,
    cleanupAttempts: 0,
  });

/** The columns that come from pack.yaml, besides the name. */
export const describedBy = (
  described: Omit<PackMetadata, 'name' | 'description'> & { readonly description: string | null },
) => ({
  version: described.version,
  displayName: described.displayName,
  description: described.description,
  category: described.category,
  capabilities: described.capabilities,
  suggestedPacks: [...described.suggestedPacks],
});

/** Writes the row of a pack whose image is in place, its event, and the end of the lease, in one transaction. */
export async function addPack(
  { database }: World,
  caller: Caller,
  { metadata, visibility, image }: NewPack,
  lease: Lease,
  event: AuditEventType,
): Promise<
  | { readonly kind: 'added'; readonly pack: PackRow }
  | ProblemOf<'name_taken' | 'pack_being_deleted' | 'registry_unavailable'>
> {
  try {
    return await database.forOrg(caller.orgId).transactional(async (em) => {
      // Without the lease the image may have been purged since: a row for it would be wrong.
      if (!(await releaseLease(em, lease))) return leaseLapsed;
      const pack = insertPack(em, caller.orgId, 'COMMUNITY', { metadata, visibility, image });
      recordEvent(em, caller, event, pack.id, eventDetails(pack));
      return { kind: 'added', pack };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const { name } = metadata;
    return (await nameProblem(database.forOrg(caller.orgId), caller, name)) ?? nameTaken(name);
  }
}

export const leaseLapsed: ProblemOf<'registry_unavailable'> = {
  kind: 'registry_unavailable',
  failure: {
    kind: 'failed',
    reason: 'TIMEOUT',
    retryable: true,
    detail: 'this server stood still for too long to be sure that the image is still there.',
  },
};
