import { defineEntity, p } from '@mikro-orm/core';
import { eventIds } from './ids.ts';
import { Org } from './org.entity.ts';
import { ofTenant } from './tenant.ts';

export const auditEventTypes = [
  'PACK_UPLOADED',
  'PACK_CREATED',
  'PACK_IMAGE_REPLACED',
  'PACK_ARCHIVE_REPLACED',
  'PACK_FILE_REPLACED',
  'PACK_FILE_DELETED',
  'PACK_VISIBILITY_CHANGED',
  'PACK_CLONED',
  'PACK_ATTACHED',
  'PACK_DETACHED',
  'PACK_DELETION_STARTED',
  'PACK_CLEANUP_FAILED',
  'PACK_DELETED',
  'AGENT_ROLE_CREATED',
  'AGENT_ROLE_UPDATED',
  'AGENT_ROLE_ARCHIVED',
  'AGENT_ROLE_UNARCHIVED',
  'API_KEY_CREATED',
  'API_KEY_REVOKED',
  'AUDIT_PRUNED',
] as const;
export type AuditEventType = (typeof auditEventTypes)[number];

const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_events',
  filters: ofTenant,
  indexes: [
    { name: 'audit_events_org_newest', properties: ['org', 'id'] },
    { name: 'audit_events_org_type', properties: ['org', 'type', 'id'] },
    { name: 'audit_events_org_subject', properties: ['org', 'subjectId', 'id'] },
  ],
  triggers: [
    // A log that its own service can rewrite is no evidence; what is too old goes by two functions (migration 006).
    {
      name: 'audit_events_final',
      timing: 'before',
      events: ['update', 'delete'],
      forEach: 'statement',
      body: `if tg_op = 'DELETE' and current_setting('pack_gateway.pruning', true) = 'on' then return null; end if; raise exception 'audit events are never changed'`,
    },
    // In the transaction that writes the event, so that nothing is announced that was not committed.
    {
      name: 'audit_events_announce',
      timing: 'after',
      events: ['insert'],
      forEach: 'row',
      body: `if exists (select from event_listeners l where l.org_id = new.org_id and l.expires_at > clock_timestamp()) then perform pg_notify('audit_events', new.org_id || ' ' || new.id); end if; return null`,
    },
    // Contract, "What deletion promises" 6: exactly one such event for a pack. The database counts (`PackDeletion`).
    {
      name: 'audit_events_deleted_once',
      timing: 'after',
      events: ['insert'],
      forEach: 'row',
      when: "(new.type = 'PACK_DELETED'::text)",
      body: 'insert into pack_deletions (subject_id) values (new.subject_id); return null',
    },
  ],
  properties: {
    id: p.type(eventIds.column).primary(),
    org: () => p.manyToOne(Org).mapToPk().index(false),
    type: p.enum(auditEventTypes),
    /** The key's or the user's id. */
    actor: p.text(),
    subjectId: p.text(),
    requestId: p.text(),
    details: p.json<Record<string, unknown>>(),
    createdAt: p.datetime(3).onCreate(() => new Date()),
  },
});

/** Who changed what; written in the transaction that makes the change, never altered afterwards. */
export class AuditEvent extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEvent);
