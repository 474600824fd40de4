import type { SqlEntityManager } from '@mikro-orm/sql';
import { recordEvent } from '../audit/record-event.ts';
import type { Database } from '../database/database.ts';
import { type Lease, releaseLease } from '../database/repository-lease.ts';
import { isUniqueViolation } from '../database/sql-state.ts';
import type { Caller } from '../identity/caller.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import { newUuid, type OrgId, packIds, uuidOf } from '../model/ids.ts';
import {
  type ImageOrigin,
  Pack,
  type PackTier,
  type PackVisibility,
} from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { findPack } from './find-pack.ts';
import type { PackMetadata } from './pack-metadata.ts';

export interface NewPack {
  readonly metadata: PackMetadata;
  readonly visibility: PackVisibility;
  readonly image: {
    readonly origin: ImageOrigin;
    /** With its host, where that is not the configured registry's own. */
    readonly repository: string;
    readonly ref: string;
    readonly digest: Digest;
    readonly sizeBytes: number;
  };
}

/** Adds the row of a pack to the unit of work of `em`. */
export function insertPack(
  em: SqlEntityManager,
  uuid: string,
  org: OrgId | null,
  tier: PackTier,
  { metadata, visibility, image }: NewPack,
): void {
  const now = new Date();
  em.create(Pack, {
    id: uuid,
    org: org === null ? null : uuidOf(org),
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
    createdAt: now,
    updatedAt: now,
  });
}

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
  const uuid = newUuid();
  const id = packIds.of(uuid);
  try {
    return await database.forOrg(caller.orgId).transactional(async (em) => {
      // Without the lease the image may have been purged since: a row for it would be a lie.
      if (!(await releaseLease(em, lease))) return leaseLapsed;
      insertPack(em, uuid, caller.orgId, 'COMMUNITY', { metadata, visibility, image });
      recordEvent(em, caller, event, id, {
        name: metadata.name,
        version: metadata.version,
        imageRef: image.ref,
        imageDigest: image.digest,
      });
      await em.flush();
      const pack = await findPack(em, caller, id);
      if (pack === null) throw new Error('a pack just made is not there');
      return { kind: 'added', pack };
    });
  } catch (error) {
    if (isUniqueViolation(error)) {
      return nameProblem(database, caller, metadata.name);
    }
    throw error;
  }
}

/** Who has the name: a pack that is there to stay, or one that a deletion will set it free from. */
async function nameProblem(
  database: Database,
  caller: Caller,
  name: string,
): Promise<ProblemOf<'name_taken' | 'pack_being_deleted'>> {
  const [dying] = await database.query<{ id: string }>(
    `select id from packs where org_id = $1 and name = $2 and status <> 'ACTIVE'`,
    [uuidOf(caller.orgId), name],
  );
  return dying === undefined
    ? { kind: 'name_taken', subject: 'pack', name }
    : { kind: 'pack_being_deleted', packId: packIds.of(dying.id), name };
}

export const leaseLapsed: ProblemOf<'registry_unavailable'> = {
  kind: 'registry_unavailable',
  failure: {
    kind: 'failed',
    reason: 'TIMEOUT',
    retryable: true,
    detail: 'this took a pause too long to be sure of the image.',
  },
};
