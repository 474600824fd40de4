import type { AuditEventRow } from '../audit/list-audit-events.ts';
import { type Watched, watchEvents } from '../audit/watch-events.ts';
import type { Caller } from '../identity/caller.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import { type EventId, type PackId, packIds, type RoleId, roleIds } from '../model/ids.ts';

export interface PackEvent {
  readonly auditEventId: EventId;
  readonly type: AuditEventType;
  readonly packId: PackId;
  /** The role that was given the pack or lost it. */
  readonly roleId: RoleId | null;
  readonly requestId: string;
  readonly createdAt: Date;
}

/**
 * Everything that happens to packs in the caller's org from now on.
 * @param isStillCaller authenticates the caller again
 * @throws RequestRefused as `watchEvents` does
 */
export const watchPackEvents = (
  watched: Watched,
  caller: Caller,
  isStillCaller: () => Promise<boolean>,
): Promise<AsyncIterableIterator<PackEvent>> =>
  watchEvents(watched, { operation: 'packEvents', caller, isStillCaller, select: toPackEvent });

/** An audit event as far as every caller of the org may see it, or null where it is about no pack. */
function toPackEvent(event: AuditEventRow): PackEvent | null {
  const packId = packIds.parse(event.subjectId);
  if (packId === null) return null;
  const { id, type, details, requestId, createdAt } = event;
  const roleId = typeof details.roleId === 'string' ? roleIds.parse(details.roleId) : null;
  return { auditEventId: id, type, packId, roleId, requestId, createdAt };
}
