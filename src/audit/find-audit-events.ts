import type { Database } from '../database/database.ts';
import { type EventId, type OrgId, uuidOf } from '../model/ids.ts';
import {
  type AuditEventRow,
  type EventRecord,
  eventColumns,
  toEventRow,
} from './list-audit-events.ts';

/** Events of an org by id, as far as there are such; in the order of `ids`. */
export async function findAuditEvents(
  database: Database,
  org: OrgId,
  ids: readonly EventId[],
): Promise<AuditEventRow[]> {
  const records = await database.query<EventRecord>(
    `select ${eventColumns} from audit_events where org_id = $1 and id = any($2)`,
    [uuidOf(org), ids.map(uuidOf)],
  );
  const rows = new Map(records.map((record) => [record.id, toEventRow(record)]));
  return ids.flatMap((id) => rows.get(uuidOf(id)) ?? []);
}
