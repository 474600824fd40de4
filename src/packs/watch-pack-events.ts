import { chosenTypes } from '../audit/chosen-types.ts';
import type { AuditEventRow } from '../audit/list-audit-events.ts';
import { nothingToWatch, type Watched, watchEvents } from '../audit/watch-events.ts';
import type { Caller } from '../identity/caller.ts';
import { type AuditEventType, auditEventTypes } from '../model/audit-event.entity.ts';
import { type EventId, type PackId, packIds, type RoleId, roleIds } from '../model/ids.ts';
import { lookUpPack } from './pack-lookup.ts';

export interface PackEvent {
  readonly auditEventId: EventId;
  readonly type: AuditEventType;
  readonly packId: PackId;
  /** The role that was given the pack or lost it. */
  readonly roleId: RoleId | null;
  readonly requestId: string;
  readonly createdAt: Date;
}

/** Which events to hear of; what is left out limits nothing. */
export interface PackEventFilter {
  readonly packId?: string | null | undefined;
  readonly types?: readonly AuditEventType[] | null | undefined;
}

const packEventTypes = auditEventTypes.filter((type) => type.startsWith('PACK_'));

/**
 * What happens to packs, or to one, in the caller's org from now on.
 * @param isStillCaller authenticates the caller again
 * @throws RequestRefused `bad_request` for a pack that the caller does not see, or types that cannot come; and as
 * `watchEvents` does
 */
export async function watchPackEvents(
  watched: Watched,
  caller: Caller,
  isStillCaller: () => Promise<boolean>,
  { packId: wanted, types }: PackEventFilter,
): Promise<AsyncIterableIterator<PackEvent>> {
  const chosen = chosenTypes(types, packEventTypes);
  const packId = wanted == null ? null : packIds.parse(wanted);
  if (wanted != null) {
    const { database } = watched.world;
    const pack = packId === null ? null : await lookUpPack(database, caller.orgId, packId);
    if (pack === null) throw nothingToWatch('pack', wanted);
  }
  return watchEvents(watched, {
    operation: 'packEvents',
    caller,
    isStillCaller,
    select(row) {
      const event = toPackEvent(row);
      if (event === null || !chosen.has(event.type)) return null;
      return packId === null || event.packId === packId ? event : null;
    },
  });
}

/** An audit event as far as every caller of the org may see it, or null where it is about no pack. */
function toPackEvent(event: AuditEventRow): PackEvent | null {
  const packId = packIds.parse(event.subjectId);
  if (packId === null) return null;
  const { id, type, details, requestId, createdAt } = event;
  const roleId = typeof details.roleId === 'string' ? roleIds.parse(details.roleId) : null;
  return { auditEventId: id, type, packId, roleId, requestId, createdAt };
}
