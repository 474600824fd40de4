/** The database's part of a deletion; `delete-pack.ts` puts the steps in order. */

import { recordEvent } from '../audit/record-event.ts';
import { acrossOrgs } from '../database/cross-org.ts';
import { query } from '../database/database.ts';
import { acquireLease, type Lease, releaseLease } from '../database/repository-lease.ts';
import { isStillReferenced } from '../database/sql-state.ts';
import { actorOf, type Caller } from '../identity/caller.ts';
import { newUuid, type PackId, uuidOf } from '../ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest, RegistryFailure } from '../registry/registry.ts';
import type { Services } from '../services.ts';
import { deletionVerdict } from './deletion-verdict.ts';
import type { ImageDisposition } from './image-disposition.ts';
import { type PackArray, type PackRow, packAsArray, packOfArray } from './pack-row.ts';

type World = Pick<Services, 'database'>;

export interface DeletedPack {
  readonly kind: 'deleted';
  readonly id: PackId;
  readonly name: string;
  readonly deletedAt: Date;
  readonly image: ImageDisposition;
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

/** The row changed between two looks at it: look again. */
interface Changed {
  readonly kind: 'changed';
}

/** The row of a pack whose image is not ours to purge goes and the event comes, in one statement. */
export async function removeUnmanaged(
  { database }: World,
  caller: Caller,
  { id, name }: PackRow,
): Promise<DeletedPack | Changed> {
  const values = [uuidOf(id), uuidOf(caller.orgId), ...eventValues(caller, id)];
  const rows = await database
    .query<{ deleted_at: string; image: DeletedPack['image'] }>(REMOVE_UNMANAGED, values)
    .catch((error: unknown) => {
      // A role took the pack after this statement's snapshot was taken; the foreign key saw it.
      if (isStillReferenced(error)) return [];
      throw error;
    });
  const [removed] = rows;
  if (removed === undefined) return { kind: 'changed' };
  const { deleted_at, image } = removed;
  return { kind: 'deleted', id, name, deletedAt: new Date(deleted_at), image };
}

/** In one transaction: the row is locked, the repository's lease taken, the row found free and set to DELETING. */
export async function mark(
  { database }: World,
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

/** The image is gone: the row goes, the event comes and the lease ends, in one statement. */
export async function remove(
  { database }: World,
  caller: Caller,
  { pack, lease }: MarkedPack,
  image: 'PURGED' | 'ALREADY_GONE',
): Promise<DeletedPack | ProblemOf<'not_found'>> {
  const [removed] = await database.query<{ deleted_at: string }>(REMOVE_PURGED, [
    uuidOf(pack.id),
    uuidOf(caller.orgId),
    ...eventValues(caller, pack.id),
    image,
    lease.repository,
    lease.holder,
  ]);
  // Nothing removed: a call that took over, after our lease had lapsed, was faster.
  if (removed === undefined) return { kind: 'not_found', subject: 'pack', id: pack.id };
  const deletedAt = new Date(removed.deleted_at);
  return { kind: 'deleted', id: pack.id, name: pack.name, deletedAt, image };
}

/** The purge failed: the row stays, and says why. */
export async function recordFailure(
  { database }: World,
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

/** $3 to $7 of the statements below; the event is dated by the clock that its id is made by, like every other. */
const eventValues = (caller: Caller, id: PackId) => [
  newUuid(),
  actorOf(caller),
  id,
  caller.requestId,
  new Date().toISOString(),
];

/** Inserts PACK_DELETED for the row that the statement's `removed` returned. */
const DELETED_EVENT = `
  insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
  select $3, $2, 'PACK_DELETED', $4, $5, $6,
    jsonb_build_object('name', name, 'version', version, 'imageRef', image_ref,
      'imageDigest', image_digest, 'image', image),
    $7::timestamptz
  from removed returning created_at`;

// The verdict is asked for again: whatever has changed since leaves the row for another look. That the row itself is
// still what the verdict saw is seen by its `updated_at`.
const REMOVE_UNMANAGED = `
  with target as materialized (
    select p.id, p.updated_at, ${deletionVerdict} from packs p where p.id = $1 and p.org_id = $2
  ), removed as (
    delete from packs p using target t
    where p.id = t.id and p.org_id = $2 and p.updated_at = t.updated_at
      and not t.in_use and t.image <> 'PURGED'
    returning p.name, p.version, p.image_ref, p.image_digest, t.image
  ), recorded as (${DELETED_EVENT})
  select created_at as deleted_at, image from recorded, removed`;

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
    returning name, version, image_ref, image_digest, $8::text as image
  ), recorded as (${DELETED_EVENT}
  ), released as (
    delete from repository_leases
    where repository = $9 and holder = $10 and (select count(*) from removed) >= 0
  )
  select created_at as deleted_at from recorded`;
