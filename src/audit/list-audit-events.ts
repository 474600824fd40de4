import type { Caller } from '../identity/caller.ts';
import { type EventId, eventIds, firstUuidAt, uuidOf } from '../ids.ts';
import { limitOf, orderOf, type Page, type PageRequest, toPage } from '../page.ts';
import type { Services } from '../services.ts';
import type { AuditEventType } from './audit-event.entity.ts';

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
  { database }: Services,
  caller: Caller,
  page: PageRequest,
  filter: AuditEventFilter,
): Promise<Page<AuditEventRow>> {
  const { where, values } = conditions(caller, filter);
  if (page.olderThan !== null) where.push(`id < $${values.push(page.olderThan)}`);
  if (page.newerThan !== null) where.push(`id > $${values.push(page.newerThan)}`);
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
  { database }: Services,
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

/** How far an id's moment may lie from the event's: a replica's clock against the database's, and time spent waiting. */
const CLOCK_SLACK_MS = 60_000;

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
  if (filter.since != null) {
    where.push(
      `id >= $${values.push(firstUuidAt(new Date(filter.since.getTime() - CLOCK_SLACK_MS)))}`,
    );
    where.push(`created_at >= $${values.push(filter.since.toISOString())}`);
  }
  if (filter.until != null) {
    where.push(
      `id < $${values.push(firstUuidAt(new Date(filter.until.getTime() + CLOCK_SLACK_MS)))}`,
    );
    where.push(`created_at < $${values.push(filter.until.toISOString())}`);
  }
  return { where, values };
}
