import type { Caller } from '../identity/caller.ts';
import { AuditEvent, type AuditEventType } from '../model/audit-event.entity.ts';
import { firstUuidAt, madeAt } from '../model/ids.ts';
import { rowsOf } from '../model/rows-of.ts';
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

const eventFields = [
  'id',
  'type',
  'actor',
  'subjectId',
  'requestId',
  'details',
  'createdAt',
] as const;

/** An event as reads see it. */
export type AuditEventRow = Readonly<Pick<AuditEvent, (typeof eventFields)[number]>>;

const eventRows = rowsOf(AuditEvent, 'e', eventFields);

/** Events of the caller's org, newest first. */
export async function listAuditEvents(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  page: PageRequest,
  filter: AuditEventFilter,
): Promise<Page<AuditEventRow>> {
  const isBetween = filter.since != null || page.newerThan != null;
  const { where, values } = conditions(caller, filter, isBetween);
  const bind = (value: unknown) => `$${values.push(value)}`;
  const { olderThan, ...rest } = page;
  where.push(...placeOf({ ...rest, olderThan: isBetween ? null : olderThan }, 'e.id', bind));
  if (isBetween && olderThan !== null) where.push(belowInRange(bind(olderThan)));
  const records = await database.query<object>(
    `select ${eventRows.columns} from audit_events e where ${where.join(' and ')}
     order by e.id ${orderOf(page)} limit ${bind(limitOf(page))}`,
    values,
  );
  return toPage(page, records.map(eventRows.ofRecord));
}

/** How many events `listAuditEvents` would go through. */
export async function countAuditEvents(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  filter: AuditEventFilter,
): Promise<number> {
  const { where, values } = conditions(caller, filter);
  const [row] = await database.query<{ count: string | number }>(
    `select count(*) as count from audit_events e where ${where.join(' and ')}`,
    values,
  );
  return Number(row?.count ?? 0);
}

/** How far an id's moment may lie from the event's: more than a second only in events of earlier versions. */
const SLACK_MS = 60_000;
/** The clocks of two replicas may differ, but not by that. */
const DAY_MS = 86_400_000;
/** Every event lies between; PostgreSQL takes neither the year 0 nor, as JavaScript writes them, five-digit years. */
const EARLIEST = 0;
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Between two places PostgreSQL expects next to nothing and sorts all that is there, instead of walking to the end of the
 * page. It does not take this for the second of two.
 */
const belowInRange = (place: string): string => `(e.id, e.id) < (${place}::uuid, ${place}::uuid)`;

function conditions(
  caller: Caller,
  filter: AuditEventFilter,
  isBetween = false,
): { readonly where: string[]; readonly values: unknown[] } {
  const values: unknown[] = [caller.orgId];
  const where = ['e.org_id = $1::uuid'];
  if (filter.type != null) where.push(`e.type = $${values.push(filter.type)}`);
  if (filter.subjectId != null) {
    where.push(`e.subject_id = $${values.push(filter.subjectId)}`);
    // Nothing happened to it before it was made: the partitions before that are passed over.
    const made = madeAt(filter.subjectId);
    if (made !== null) {
      where.push(`e.id >= $${values.push(firstUuidAt(new Date(made.getTime() - DAY_MS)))}`);
    }
  }
  // The moment is a place in the index on ids, give or take, and the column itself decides.
  const bound = (comparison: '>=' | '<', moment: Date, slack: number) => {
    const at = Math.min(Math.max(moment.getTime(), EARLIEST), LATEST);
    const place = `$${values.push(firstUuidAt(new Date(at + slack)))}`;
    const isUpper = isBetween && comparison === '<';
    where.push(isUpper ? belowInRange(place) : `e.id ${comparison} ${place}`);
    where.push(`e.created_at ${comparison} $${values.push(new Date(at).toISOString())}`);
  };
  if (filter.since != null) bound('>=', filter.since, -SLACK_MS);
  if (filter.until != null) bound('<', filter.until, SLACK_MS);
  return { where, values };
}
