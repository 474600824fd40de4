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
import { type RoleArray, roleAsArray, roleOfArray } from '../roles/role-row.ts';
import type { Services } from '../services.ts';
import { type DeletionVerdict, deletionVerdict } from './deletion-verdict.ts';
import type { ImageDisposition } from './image-disposition.ts';
import { type PackRecord, type PackRow, packColumns, toPackRow } from './pack-row.ts';

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

/** The roles that a refusal carries along; further ones are read page by page. */
export const BLOCKERS_SHOWN = 50;

/** Refuses, removes a pack whose image is not ours to purge, or says that the pack has to be marked first. */
export async function removeUnmanaged(
  { database }: Services,
  caller: Caller,
  id: PackId,
): Promise<DeletedPack | ProblemOf<'not_found' | 'pack_in_use'> | Changed | { kind: 'mark' }> {
  type Row = PackRecord &
    DeletionVerdict & { deleted_at: string | null; roles: RoleArray[] | null };
  const values = [uuidOf(id), uuidOf(caller.orgId), ...eventValues(caller, id)];
  const rows = await database.query<Row>(REMOVE_UNMANAGED, values).catch((error: unknown) => {
    // A role took the pack after this statement's snapshot was taken; the foreign key saw it.
    if (isStillReferenced(error)) return null;
    throw error;
  });
  if (rows === null) return { kind: 'changed' };
  const [first] = rows;
  if (first === undefined) return { kind: 'not_found', subject: 'pack', id };
  const pack = toPackRow(first);
  if (first.in_use) {
    const roles = (first.roles ?? []).map(roleOfArray);
    const hasMore = roles.length > BLOCKERS_SHOWN;
    return {
      kind: 'pack_in_use',
      pack,
      blockers: { roles: roles.slice(0, BLOCKERS_SHOWN), hasMore },
    };
  }
  if (first.image === 'PURGED') return { kind: 'mark' };
  if (first.deleted_at === null) return { kind: 'changed' };
  return {
    kind: 'deleted',
    id,
    name: pack.name,
    deletedAt: new Date(first.deleted_at),
    image: first.image,
  };
}

/** In one transaction: the row is locked, found free, set to DELETING, and the repository's lease taken. */
export async function mark(
  { database }: Services,
  caller: Caller,
  id: PackId,
): Promise<MarkedPack | Busy | Changed> {
  const row = [uuidOf(id), uuidOf(caller.orgId)];
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const [locked] = await query<PackRecord>(
      em,
      `select ${packColumns} from packs p where p.id = $1 and p.org_id = $2 for update`,
      row,
    );
    // A statement of its own, because its snapshot must be younger than the lock it waited for.
    const [verdict] = await query<DeletionVerdict & { held: Digest[] }>(em, VERDICT_AND_HELD, row);
    if (locked === undefined || verdict === undefined) return { kind: 'changed' };
    const pack = toPackRow(locked);
    if (verdict.in_use || verdict.image !== 'PURGED' || pack.imageDigest === null) {
      return { kind: 'changed' };
    }
    const lease = await acquireLease(em, pack.repository);
    if (lease === null) return { kind: 'busy', pack };
    if (pack.status === 'ACTIVE') {
      recordEvent(em, caller, 'PACK_DELETION_STARTED', id, eventDetails(pack));
    }
    await query(
      em,
      `update packs set status = 'DELETING', updated_at = clock_timestamp()
       where id = $1 and org_id = $2`,
      row,
    );
    const held = new Set(verdict.held);
    return { kind: 'marked', pack, digest: pack.imageDigest, held, lease };
  });
}

/** The image is gone: the row goes, the event comes and the lease ends, in one statement. */
export async function remove(
  { database }: Services,
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
  { database }: Services,
  caller: Caller,
  { pack, lease }: MarkedPack,
  failure: RegistryFailure,
): Promise<ProblemOf<'registry_cleanup_failed' | 'not_found'>> {
  return database.forOrg(caller.orgId).transactional(async (em) => {
    const [record] = await query<PackRecord>(
      em,
      `update packs p set status = 'CLEANUP_FAILED', cleanup_reason = $3, cleanup_message = $4,
         cleanup_failed_at = clock_timestamp(), cleanup_attempts = cleanup_attempts + 1,
         updated_at = clock_timestamp()
       where p.id = $1 and p.org_id = $2 returning ${packColumns}`,
      [uuidOf(pack.id), uuidOf(caller.orgId), failure.reason, failure.detail],
    );
    await releaseLease(em, lease);
    if (record === undefined) return { kind: 'not_found', subject: 'pack', id: pack.id };
    const kept = toPackRow(record);
    const attempts = record.cleanup_attempts;
    recordEvent(em, caller, 'PACK_CLEANUP_FAILED', pack.id, {
      ...eventDetails(pack),
      reason: failure.reason,
      attempts,
    });
    return { kind: 'registry_cleanup_failed', pack: kept, failure, attempts };
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

// The delete repeats what the verdict rests on: a row that changed under it is left for another look.
const REMOVE_UNMANAGED = `
  with target as materialized (
    select ${packColumns}, ${deletionVerdict} from packs p where p.id = $1 and p.org_id = $2
  ), removed as (
    delete from packs d using target t
    where d.id = t.id and d.org_id = $2 and d.updated_at = t.updated_at
      and not t.in_use and t.image <> 'PURGED'
    returning t.name, t.version, t.image_ref, t.image_digest, t.image
  ), recorded as (${DELETED_EVENT})
  select t.*, (select created_at from recorded) as deleted_at,
    case when t.in_use then (
      select json_agg(r.role) from (
        select ${roleAsArray('whole')} as role from role_packs a
        join agent_roles r on r.id = a.role_id and r.org_id = a.org_id
        where a.pack_id = $1 and a.org_id = $2
        order by a.role_id desc limit ${BLOCKERS_SHOWN + 1}
      ) r
    ) end as roles
  from target t`;

const VERDICT_AND_HELD = `
  select ${deletionVerdict}, array(
    select ${acrossOrgs('image shared')} o.image_digest from packs o
    where o.repository = p.repository and o.image_digest is not null and o.id <> p.id
  ) as held
  from packs p where p.id = $1 and p.org_id = $2`;

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
