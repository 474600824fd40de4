/** The database's part of a deletion; `delete-pack.ts` puts the steps in order. */

import { recordEvent } from '../audit/record-event.ts';
import { acrossOrgs } from '../database/cross-org.ts';
import { query } from '../database/database.ts';
import { acquireLease, type Lease, releaseLease } from '../database/repository-lease.ts';
import { actorOf, type Caller } from '../identity/caller.ts';
import { newUuid, type PackId, uuidOf } from '../model/ids.ts';
import { type PackArray, type PackRow, packAsArray, packOfArray } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest, RegistryFailure } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { deletionVerdict } from './deletion-verdict.ts';
import type { ImageDisposition } from './image-disposition.ts';

export interface DeletedPack {
  readonly kind: 'deleted';
  readonly id: PackId;
  readonly name: string;
  readonly deletedAt: Date;
  readonly image: ImageDisposition;
  /** Tags of the image that the registry keeps and that nobody can remove. */
  readonly remainingTags: readonly string[];
}

/** The pack is DELETING and its repository is ours until the lease lapses. */
export interface MarkedPack {
  readonly kind: 'marked';
  readonly pack: PackRow;
  readonly digest: Digest;
  /** Digests in the same repository that other packs point at. */
  readonly held: ReadonlySet<Digest>;
  readonly lease: Lease;
}

/** Somebody else is writing to the repository. */
interface Busy {
  readonly kind: 'busy';
  readonly pack: PackRow;
}

/** What became of the image of a pack that was marked. */
export type Purged = Pick<DeletedPack, 'image' | 'remainingTags'>;

/** The row changed between two looks at it: look again. */
export interface Changed {
  readonly kind: 'changed';
}

/** In one transaction: the row is locked, the repository's lease taken, the row found free and set to DELETING. */
export async function mark(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  id: PackId,
): Promise<MarkedPack | Busy | Changed> {
  const row = [uuidOf(id), uuidOf(caller.orgId)];
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const [locked] = await query<{ pack: PackArray }>(
      em,
      `select ${packAsArray('whole')} as pack from packs p where p.id = $1 and p.org_id = $2 for update`,
      row,
    );
    if (locked === undefined) return { kind: 'changed' };
    const pack = packOfArray(locked.pack);
    const lease = await acquireLease(em, pack.repository);
    if (lease === null) return { kind: 'busy', pack };
    // A statement of its own, because its snapshot must be younger than the locks it waited for: the role that
    // attached the pack, and the pack that was made of the same image, are committed and must be seen.
    const [marked] = await query<{ held: Digest[] }>(em, MARK, row);
    if (marked === undefined || pack.imageDigest === null) {
      await releaseLease(em, lease);
      return { kind: 'changed' };
    }
    if (pack.status === 'ACTIVE') {
      recordEvent(em, caller, 'PACK_DELETION_STARTED', id, eventDetails(pack));
    }
    const held = new Set(marked.held);
    return { kind: 'marked', pack, digest: pack.imageDigest, held, lease };
  });
}

/** The purge is done: the row goes, the event comes and the lease ends, in one statement. */
export async function remove(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  { pack, lease }: MarkedPack,
  purged: Purged,
): Promise<DeletedPack | ProblemOf<'not_found'>> {
  const deletedAt = new Date();
  const { image, remainingTags } = purged;
  const [removed] = await database.query(REMOVE_PURGED, [
    uuidOf(pack.id),
    uuidOf(caller.orgId),
    newUuid(),
    actorOf(caller),
    pack.id,
    caller.requestId,
    deletedAt.toISOString(),
    image,
    lease.repository,
    lease.holder,
    remainingTags,
  ]);
  // Nothing removed: a call that took over, after our lease had lapsed, was faster.
  if (removed === undefined) return { kind: 'not_found', subject: 'pack', id: pack.id };
  return { kind: 'deleted', id: pack.id, name: pack.name, deletedAt, image, remainingTags };
}

/** The purge failed: the row stays, and says why. */
export async function recordFailure(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  { pack, lease }: MarkedPack,
  failure: RegistryFailure,
): Promise<ProblemOf<'registry_cleanup_failed' | 'not_found'>> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const [record] = await query<{ pack: PackArray; attempts: number }>(
      em,
      `update packs p set status = 'CLEANUP_FAILED', cleanup_reason = $3, cleanup_message = $4,
         cleanup_failed_at = clock_timestamp(), cleanup_attempts = cleanup_attempts + 1,
         updated_at = clock_timestamp()
       where p.id = $1 and p.org_id = $2 returning ${packAsArray('whole')} as pack, cleanup_attempts as attempts`,
      [uuidOf(pack.id), uuidOf(caller.orgId), failure.reason, failure.detail],
    );
    await releaseLease(em, lease);
    if (record === undefined) return { kind: 'not_found', subject: 'pack', id: pack.id };
    const { attempts } = record;
    recordEvent(em, caller, 'PACK_CLEANUP_FAILED', pack.id, {
      ...eventDetails(pack),
      reason: failure.reason,
      attempts,
    });
    return {
      kind: 'registry_cleanup_failed',
      pack: packOfArray(record.pack),
      failure,
      attempts,
    };
  });
}

const eventDetails = ({ name, version, imageRef, imageDigest }: PackRow) => ({
  name,
  version,
  imageRef,
  imageDigest,
});

/** Inserts PACK_DELETED for each row that the statement's `removed` returned. */
export const RECORD_REMOVED = `
  insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
  select event_id, org_id, 'PACK_DELETED', actor, subject_id, request_id,
    jsonb_build_object('name', name, 'version', version, 'imageRef', image_ref,
      'imageDigest', image_digest, 'image', image)
      || case when remaining_tags = '{}' then '{}' else jsonb_build_object('remainingTags', remaining_tags) end,
    deleted_at
  from removed`;

// The verdict once more; only where it is still "purge" does the row become DELETING.
const MARK = `
  with target as materialized (
    select p.id, ${deletionVerdict}, array(
      select ${acrossOrgs('image shared')} o.image_digest from packs o
      where o.repository = p.repository and o.image_digest is not null and o.id <> p.id
    ) as held
    from packs p where p.id = $1 and p.org_id = $2
  )
  update packs p set status = 'DELETING', updated_at = clock_timestamp() from target t
  where p.id = t.id and p.org_id = $2 and not t.in_use and t.image = 'PURGED'
  returning t.held`;

// The lease's row is touched after the pack's (`count` waits for `removed`), in the order in which `mark` locks
// them: the other way round the two could deadlock.
const REMOVE_PURGED = `
  with removed as (
    delete from packs where id = $1 and org_id = $2
    returning $3::uuid as event_id, org_id, $4::text as actor, $5::text as subject_id,
      $6::text as request_id, $7::timestamptz as deleted_at, name, version, image_ref,
      image_digest, $8::text as image, $11::text[] as remaining_tags
  ), recorded as (${RECORD_REMOVED}
  ), released as (
    delete from repository_leases
    where repository = $9 and holder = $10 and (select count(*) from removed) >= 0
  )
  select event_id from removed`;
