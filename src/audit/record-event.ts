import type { SqlEntityManager } from '@mikro-orm/sql';
import { actorOf, type Caller } from '../identity/caller.ts';
import { AuditEvent, type AuditEventType } from '../model/audit-event.entity.ts';
import { newEventId } from '../model/ids.ts';

/** The beginning of an insert, for statements that write events themselves; a select of these columns follows it. */
export const INSERT_EVENTS =
  'insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)';

/**
 * Adds an event to the unit of work of `em`, so that it is written in the transaction that makes the change.
 * @param subjectId what was changed, as callers know it (`pack_…`)
 */
export function recordEvent(
  em: SqlEntityManager,
  caller: Caller,
  type: AuditEventType,
  subjectId: string,
  details: Record<string, unknown> = {},
): void {
  const createdAt = new Date();
  em.create(AuditEvent, {
    id: newEventId(createdAt),
    org: caller.orgId,
    type,
    actor: actorOf(caller),
    subjectId,
    requestId: caller.requestId,
    details,
    createdAt,
  });
}
