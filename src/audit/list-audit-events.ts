import type { FilterQuery } from '@mikro-orm/core';
import type { Caller } from '../identity/caller.ts';
import { AuditEvent, type AuditEventType } from '../model/audit-event.entity.ts';
import { eventIds, firstUuidAt, keyIds, packIds, roleIds } from '../model/ids.ts';
import { onPage, type Page, type PageRequest, toPage } from '../page.ts';
import type { World } from '../world.ts';

export interface AuditEventFilter {
  readonly type?: AuditEventType | null | undefined;
  readonly subjectId?: string | null | undefined;
  /** From this moment on, inclusive. */
  readonly since?: Date | null | undefined;
  /** Before this moment. */
  readonly until?: Date | null | undefined;
}

/** An event as reads see it. */
export type AuditEventRow = Readonly<
  Pick<AuditEvent, 'id' | 'type' | 'actor' | 'subjectId' | 'requestId' | 'details' | 'createdAt'>
>;

/** Events of the caller's org, newest first. */
export async function listAuditEvents(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  page: PageRequest,
  filter: AuditEventFilter,
): Promise<Page<AuditEventRow>> {
  const { place, options } = onPage(page, eventIds);
  const events = await database
    .forOrg(caller.orgId)
    .find(AuditEvent, { $and: [place, ...conditions(filter)] }, options);
  return toPage(page, events);
}

/** How many events `listAuditEvents` would go through. */
export const countAuditEvents = (
  { database }: Pick<World, 'database'>,
  caller: Caller,
  filter: AuditEventFilter,
): Promise<number> => database.forOrg(caller.orgId).count(AuditEvent, { $and: conditions(filter) });

/** How far an id's moment may lie from the event's: more than a second only in events of earlier versions. */
const SLACK_MS = 60_000;
/** Every event lies between; PostgreSQL takes neither the year 0 nor, as JavaScript writes them, five-digit years. */
const EARLIEST = 0;
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function conditions({
  type,
  subjectId,
  since,
  until,
}: AuditEventFilter): FilterQuery<AuditEvent>[] {
  // The moment is a place in the index on ids, give or take, and the column itself decides.
  const bound = (comparison: '$gte' | '$lt', moment: Date, slack: number) => {
    const at = Math.min(Math.max(moment.getTime(), EARLIEST), LATEST);
    const id = eventIds.of(firstUuidAt(new Date(at + slack)));
    return { id: { [comparison]: id }, createdAt: { [comparison]: new Date(at) } };
  };
  return [
    ...(type == null ? [] : [{ type }]),
    // The ORM writes values into its statements: what is no id of ours stays out of them, and is the subject of nothing.
    ...(subjectId == null ? [] : [isSubject(subjectId) ? { subjectId } : { id: { $in: [] } }]),
    ...(since == null ? [] : [bound('$gte', since, -SLACK_MS)]),
    ...(until == null ? [] : [bound('$lt', until, SLACK_MS)]),
  ];
}

const isSubject = (text: string): boolean =>
  [packIds, roleIds, keyIds].some((ids) => ids.parse(text) !== null);
