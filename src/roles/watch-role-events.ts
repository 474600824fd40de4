import { chosenTypes } from '../audit/chosen-types.ts';
import type { AuditEventRow } from '../audit/list-audit-events.ts';
import { nothingToWatch, type Watched, watchEvents } from '../audit/watch-events.ts';
import type { Caller } from '../identity/caller.ts';
import { type AuditEventType, auditEventTypes } from '../model/audit-event.entity.ts';
import { type EventId, type PackId, packIds, type RoleId, roleIds } from '../model/ids.ts';
import { findRole } from './find-role.ts';

export interface RoleEvent {
  readonly auditEventId: EventId;
  readonly type: AuditEventType;
  readonly roleId: RoleId;
  /** The pack that the role was given or lost. */
  readonly packId: PackId | null;
  readonly requestId: string;
  readonly createdAt: Date;
}

/** Which events to hear of; what is left out limits nothing. */
export interface RoleEventFilter {
  readonly roleId?: string | null | undefined;
  readonly types?: readonly AuditEventType[] | null | undefined;
}

const roleEventTypes = auditEventTypes.filter(
  (type) => type.startsWith('AGENT_ROLE_') || type === 'PACK_ATTACHED' || type === 'PACK_DETACHED',
);

/**
 * What happens to roles of the caller's org, or to one, from now on.
 * @param isStillCaller authenticates the caller again
 * @throws RequestRefused `bad_request` for a role that the org does not have, or types that cannot come; and as
 * `watchEvents` does
 */
export async function watchRoleEvents(
  watched: Watched,
  caller: Caller,
  isStillCaller: () => Promise<boolean>,
  { roleId: wanted, types }: RoleEventFilter,
): Promise<AsyncIterableIterator<RoleEvent>> {
  const chosen = chosenTypes(types, roleEventTypes);
  const roleId = wanted == null ? null : roleIds.parse(wanted);
  if (wanted != null) {
    const { database } = watched.world;
    const role = roleId === null ? null : await findRole(database, caller, roleId);
    if (role === null) throw nothingToWatch('agent_role', wanted);
  }
  return watchEvents(watched, {
    operation: 'roleEvents',
    caller,
    isStillCaller,
    select(row) {
      const event = toRoleEvent(row);
      if (event === null || !chosen.has(event.type)) return null;
      return roleId === null || event.roleId === roleId ? event : null;
    },
  });
}

/** An audit event as far as every caller of the org may see it, or null where it is about no role. */
function toRoleEvent({
  id,
  type,
  subjectId,
  details,
  requestId,
  createdAt,
}: AuditEventRow): RoleEvent | null {
  const packId = packIds.parse(subjectId);
  // An attachment is an event of the pack, which names the role.
  const role = packId === null ? subjectId : details.roleId;
  const roleId = typeof role === 'string' ? roleIds.parse(role) : null;
  return roleId === null ? null : { auditEventId: id, type, roleId, packId, requestId, createdAt };
}
