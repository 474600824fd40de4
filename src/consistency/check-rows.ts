import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import { Attachment } from '../model/attachment.entity.ts';
import type { OrgId } from '../model/ids.ts';
import { Pack } from '../model/pack.entity.ts';
import { rowsOf } from '../model/rows-of.ts';
import type { Finding } from './finding.ts';

/** What the database says about itself. Each statement is one snapshot, so a busy service causes no false findings. */
export async function checkRows(
  database: Database,
  onFinding: (finding: Finding) => Promise<void>,
): Promise<void> {
  const checks = [attachments, deletionEvents, unfinishedDeletions];
  for (const check of checks) {
    for (const finding of await check(database)) await onFinding(finding);
  }
}

const attachmentRows = rowsOf(Attachment, 'a', ['role', 'pack']);

/** The foreign key forbids the first and the locks of `mark` and `attachPack` the second: this tells if they did. */
async function attachments(database: Database): Promise<Finding[]> {
  const rows = await database.query<{ slug: string; status: string | null }>(
    `select ${acrossOrgs('consistency')} ${attachmentRows.columns}, o.slug, p.status
     from role_packs a join orgs o on o.id = a.org_id left join packs p on p.id = a.pack_id
     where p.id is null or p.status <> 'ACTIVE' order by a.role_id, a.pack_id`,
    [],
  );
  return rows.map(attachmentRows.ofRecord).map(({ role, pack, slug, status }) => ({
    invariant: status === null ? 'role_without_pack' : 'role_with_deleted_pack',
    org: slug,
    subject: role,
    detail: `references ${pack}, which is ${status ?? 'missing'}`,
    advice:
      'detachPack takes it from the role; neither the service nor a restored backup does this, so find out who did',
  }));
}

async function deletionEvents(database: Database): Promise<Finding[]> {
  const unrecorded = await database.query<{ slug: string; subject_id: string }>(
    `select ${acrossOrgs('consistency')} distinct o.slug, e.subject_id
     from audit_events e join orgs o on o.id = e.org_id
     where e.type in ('PACK_UPLOADED', 'PACK_CREATED', 'PACK_CLONED')
       and not exists (select 1 from packs p where p.id::text = substr(e.subject_id, 6))
       and not exists (select 1 from audit_events d
         where d.subject_id = e.subject_id and d.type = 'PACK_DELETED')
     order by e.subject_id`,
    [],
  );
  const untrue = await database.query<{ slug: string; subject_id: string }>(
    `select ${acrossOrgs('consistency')} o.slug, e.subject_id
     from audit_events e join orgs o on o.id = e.org_id
     where e.type = 'PACK_DELETED'
       and exists (select 1 from packs p where p.id::text = substr(e.subject_id, 6))
     order by e.subject_id`,
    [],
  );
  return [
    ...unrecorded.map(
      ({ slug, subject_id }): Finding => ({
        invariant: 'deletion_unrecorded',
        org: slug,
        subject: subject_id,
        detail: 'was made and is gone, but no PACK_DELETED event says who deleted it',
        advice: 'rows were removed without the service: compare with a backup',
      }),
    ),
    ...untrue.map(
      ({ slug, subject_id }): Finding => ({
        invariant: 'deletion_untrue',
        org: slug,
        subject: subject_id,
        detail: 'has a PACK_DELETED event and is still there',
        advice: 'rows were written without the service: compare with a backup, or deletePack',
      }),
    ),
  ];
}

const unfinishedRows = rowsOf(Pack, 'p', ['id', 'org', 'name', 'status', 'cleanupReason']);

/** A deletion that holds its repository's lease is under way, not standing still. */
async function unfinishedDeletions(database: Database): Promise<Finding[]> {
  const rows = await database.query<{ org: OrgId; slug: string }>(
    `select ${acrossOrgs('consistency')} ${unfinishedRows.columns}, o.slug
     from packs p join orgs o on o.id = p.org_id
     where p.status <> 'ACTIVE' and not exists (
       select 1 from repository_leases l
       where l.repository = p.repository and l.expires_at >= clock_timestamp())
     order by p.id`,
    [],
  );
  return rows
    .map(unfinishedRows.ofRecord)
    .map(({ id: packId, org: orgId, slug, name, status, cleanupReason }) => ({
      invariant: 'deletion_unfinished',
      org: slug,
      subject: packId,
      detail: `${name} is ${status}${cleanupReason === null ? '' : ` (${cleanupReason})`}`,
      advice: 'one more deletePack finishes it, or --repair',
      remedy: { kind: 'delete', packId, orgId, orgSlug: slug },
    }));
}
