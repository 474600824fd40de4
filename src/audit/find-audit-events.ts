import type { Database } from '../database/database.ts';
import { AuditEvent } from '../model/audit-event.entity.ts';
import type { EventId, OrgId } from '../model/ids.ts';
import type { AuditEventRow } from './list-audit-events.ts';

/** Events of an org by id, as far as there are such; in the order of `ids`. */
export async function findAuditEvents(
  database: Database,
  org: OrgId,
  ids: readonly EventId[],
): Promise<AuditEventRow[]> {
  const events = await database.forOrg(org).find(AuditEvent, { id: { $in: [...ids] } });
  const byId = new Map(events.map((event) => [event.id, event]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
