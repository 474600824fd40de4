/** The statements of a deletion; `delete-pack.ts` tells what they are for, and why no interleaving of them loses. */
import { INSERT_EVENTS } from '../audit/record-event.ts';
import { takeLease } from '../database/repository-lease.ts';
import { packRows } from '../model/pack-row.ts';
import { deletionVerdict } from './deletion-verdict.ts';
import { digestsIn } from './held-digests.ts';

/** What every event of a deletion says of the pack. */
const DETAILS = `jsonb_build_object('name', name, 'version', version, 'imageRef', image_ref,
  'imageDigest', image_digest)`;

/**
 * Mark, first: the row, locked, and only then the lease of its repository, which needs the row. `granted`: milliseconds
 * from the statement's begin to the end of the lease; null while somebody else has it.
 */
export const LOCK = `
  with locked as materialized (
    select p.repository, ${packRows.whole.json} as pack from packs p
    where p.id = $1::uuid and p.org_id = $2::uuid and p.updated_at = coalesce($5::timestamptz, p.updated_at) for update
  ), leased as (${takeLease('k.repository', '$3', '$4', 'from locked k')})
  select pack, (
    select extract(epoch from expires_at - statement_timestamp())::float8 * 1000 from leased
  ) as granted
  from locked`;

/**
 * Mark, last: the verdict once more, and only where it is still "purge" does the row become DELETING, with an event
 * where it was not DELETING before. A statement of its own after `LOCK`, because its snapshot must be younger than the
 * locks that were waited for: the role that attached the pack, and the pack that was made of the same image, are
 * committed and must be seen. It is sent before `LOCK` is answered, and does nothing unless that has taken the lease in
 * this very transaction; a lease that leads to no purge ends here.
 */
export const MARK = `
  with target as materialized (
    select p.id, p.repository, p.status as was, ${deletionVerdict},
      array(${digestsIn('p.repository')} and o.id <> p.id) as held
    from packs p where p.id = $1::uuid and p.org_id = $2::uuid and exists (
      select from repository_leases l where l.repository = p.repository and l.holder = $8
        and l.xmin = pg_current_xact_id()::xid
    )
  ), marked as (
    update packs p set status = 'DELETING', updated_at = clock_timestamp() from target t
    where p.id = t.id and p.org_id = $2::uuid and not t.in_use and t.image = 'PURGED'
    returning t.held, t.was, p.org_id, p.name, p.version, p.image_ref, p.image_digest
  ), recorded as (
    ${INSERT_EVENTS}
    select $3::uuid, org_id, 'PACK_DELETION_STARTED', $4::text, $5::text, $6::text, ${DETAILS}, $7::timestamptz
    from marked where was = 'ACTIVE'
  ), released as (
    delete from repository_leases l using target t
    where l.repository = t.repository and l.holder = $8 and not exists (select from marked)
  )
  select held from marked`;

/** Inserts PACK_DELETED for each row that the statement's `removed` returned. */
const RECORD_REMOVED = `
  ${INSERT_EVENTS}
  select event_id, org_id, 'PACK_DELETED', actor, subject_id, request_id,
    ${DETAILS} || jsonb_build_object('image', image)
      || case when remaining_tags = '{}' then '{}' else jsonb_build_object('remainingTags', remaining_tags) end,
    deleted_at
  from removed`;

/**
 * Remove: the row goes, its event comes, and the lease ends. The lease's row is found by the pack's, so it is touched
 * after it, in the order in which mark locks them: in the opposite order the two could deadlock. Where there is no row
 * any more, the call that took it has taken the lease before.
 */
export const REMOVE_PURGED = `
  with removed as (
    delete from packs where id = $1::uuid and org_id = $2::uuid
    returning $3::uuid as event_id, org_id, $4::text as actor, $5::text as subject_id,
      $6::text as request_id, $7::timestamptz as deleted_at, name, version, image_ref,
      image_digest, $8::text as image, $10::text[] as remaining_tags, repository
  ), recorded as (${RECORD_REMOVED}
  ), released as (
    delete from repository_leases l using removed r
    where l.repository = r.repository and l.holder = $9
  )
  select event_id from removed`;

/**
 * The removal of packs whose image is not ours to purge, for many callers. The verdict is asked for again, of the row as
 * it is under the lock. A row that somebody else has locked is left for another look: so nothing is waited for, and no
 * order of locks can deadlock.
 */
export const REMOVE_UNMANAGED = `
  with target as materialized (
    select p.id, k.*, ${deletionVerdict}
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $8::timestamptz[])
      with ordinality as k (pack_id, org_id, event_id, actor, subject_id, request_id, unchanged_since, place)
    join packs p on p.id = k.pack_id and p.org_id = k.org_id
      and p.updated_at = coalesce(k.unchanged_since, p.updated_at)
    for update of p skip locked
  ), removed as (
    delete from packs p using target t
    where p.id = t.id and not t.in_use and t.image <> 'PURGED'
    returning t.place, t.event_id, p.org_id, t.actor, t.subject_id, t.request_id,
      $7::timestamptz as deleted_at, p.name, p.version, p.image_ref, p.image_digest, t.image,
      '{}'::text[] as remaining_tags
  ), recorded as (${RECORD_REMOVED})
  select place, image from removed`;
