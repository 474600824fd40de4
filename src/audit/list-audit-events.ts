import type { Caller } from '../identity/caller.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import { type EventId, eventIds, firstUuidAt, uuidOf } from '../model/ids.ts';
import { limitOf, orderOf, type Page, type PageRequest, placeOf, toPage } from '../page.ts';
import type { World } from '../world.ts';

export interface AuditEventFilter {
  readonly type?: AuditEventType | null | undefined;
  readonly subjectId?: string | null | undefined;
  /** From this moment on, inclusive. */
  readonly since?: Date | null | undefined;
  /** Before this moment. */
  readonly until?: Date | null | undefined;
}

export interface AuditEventRow {
  readonly id: EventId;
  readonly type: AuditEventType;
  readonly actor: string;
  readonly subjectId: string;
  readonly requestId: string;
  readonly details: Record<string, unknown>;
  readonly createdAt: Date;
}

/** The columns of an event. */
export const eventColumns = 'id, type, actor, subject_id, request_id, details, created_at';

/** A record that `eventColumns` selects. */
export interface EventRecord {
  readonly id: string;
  readonly type: AuditEventType;
  readonly actor: string;
  readonly subject_id: string;
  readonly request_id: string;
  readonly details: Record<string, unknown>;
  readonly created_at: string;
}

/** Events of the caller's org, newest first. */
export async function listAuditEvents(
  { database }: World,
  caller: Caller,
  page: PageRequest,
  filter: AuditEventFilter,
): Promise<Page<AuditEventRow>> {
  const { where, values } = conditions(caller, filter);
  where.push(...placeOf(page, 'id', (value) => `$${values.push(value)}`));
  const records = await database.query<EventRecord>(
    `select ${eventColumns} from audit_events
     where ${where.join(' and ')}
     order by id ${orderOf(page)} limit $${values.push(limitOf(page))}`,
    values,
  );
  return toPage(page, records.map(toEventRow));
}

export const toEventRow = (record: EventRecord): AuditEventRow => ({
  id: eventIds.of(record.id),
  type: record.type,
  actor: record.actor,
  subjectId: record.subject_id,
  requestId: record.request_id,
  details: record.details,
  createdAt: new Date(record.created_at),
});

/** How many events `listAuditEvents` would go through. */
export async function countAuditEvents(
  { database }: World,
  caller: Caller,
  filter: AuditEventFilter,
): Promise<number> {
  const { where, values } = conditions(caller, filter);
  const [row] = await database.query<{ count: string | number }>(
    `select count(*) as count from audit_events where ${where.join(' and ')}`,
    values,
  );
  return Number(row?.count ?? 0);
}

/** How far an id's moment may lie from the event's: ids keep rising while a process's clock is set back. */
const CLOCK_SLACK_MS = 60_000;
/** Every event lies between; PostgreSQL takes neither the year 0 nor, as JavaScript writes them, five-digit years. */
const EARLIEST = 0;
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function conditions(
  caller: Caller,
  filter: AuditEventFilter,
): { readonly where: string[]; readonly values: unknown[] } {
  const values: unknown[] = [uuidOf(caller.orgId)];
  const where = ['org_id = $1'];
  if (filter.type != null) where.push(`type = $${values.push(filter.type)}`);
  if (filter.subjectId != null) where.push(`subject_id = $${values.push(filter.subjectId)}`);
  // An event's id is a UUIDv7, made shortly before the event is written: the moment is a place in the index on ids,
  // give or take, and the column itself decides.
  const bound = (comparison: '>=' | '<', moment: Date, slack: number) => {
    const at = Math.min(Math.max(moment.getTime(), EARLIEST), LATEST);
    where.push(`id ${comparison} $${values.push(firstUuidAt(new Date(at + slack)))}`);
    where.push(`created_at ${comparison} $${values.push(new Date(at).toISOString())}`);
  };
  if (filter.since != null) bound('>=', filter.since, -CLOCK_SLACK_MS);
  if (filter.until != null) bound('<', filter.until, CLOCK_SLACK_MS);
  return { where, values };
}
