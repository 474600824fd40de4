/**
 * Tells whoever follows an org of its events, whichever replica wrote them.
 *
 * The database announces an event's id when its transaction commits (`audit_events_announce`), but only to orgs that
 * a process has put down in `event_listeners`; this feed keeps that entry alive, reads each event once, and hands it
 * to all followers of the org in this process. Nothing is ever missed in silence: once a gap is possible, every
 * follower is told that it has ended.
 */
import type { Database } from '../database/database.ts';
import type { Listener } from '../database/notifications.ts';
import type { Log } from '../log.ts';
import { type EventId, eventIds, newUuid, type OrgId, orgIds, uuidOf } from '../model/ids.ts';
import { RequestRefused } from '../request-refused.ts';
import { findAuditEvents } from './find-audit-events.ts';
import type { AuditEventRow } from './list-audit-events.ts';

/** How long the database announces to a process that has died. */
const LISTENER_TTL_MS = 60_000;
const RENEW_EVERY_MS = 20_000;

export interface Follower {
  onEvent(event: AuditEventRow): Promise<void>;
  /** There will be no more. */
  onEnd(reason: RequestRefused): void;
}

export interface EventFeed {
  /**
   * Follows an org from now on: what a transaction writes that starts later is heard.
   * @returns what stops it
   * @throws RequestRefused `service_unavailable`
   */
  follow(org: OrgId, follower: Follower): Promise<() => void>;
  /** Ends every follower, and refuses new ones: the process is about to stop. */
  end(): Promise<void>;
}

/** @param onCount told how many followers there are, whenever that changes */
export function createEventFeed(
  database: Database,
  log: Log,
  onCount: (followers: number) => void,
): EventFeed {
  const process = newUuid();
  const followers = new Map<OrgId, Set<Follower>>();
  let opening: Promise<Listener> | null = null;
  let renewal: NodeJS.Timeout | undefined;
  let confirmedAt = 0;
  let isEnding = false;
  let announced: { readonly org: OrgId; readonly id: EventId }[] = [];
  let isReading = false;

  const count = () => onCount([...followers.values()].reduce((sum, { size }) => sum + size, 0));

  async function open(): Promise<Listener> {
    const listener = await database.listen('audit_events', announce, lose);
    confirmedAt = performance.now();
    renewal = setInterval(() => void renew(listener).catch(lose), RENEW_EVERY_MS).unref();
    return listener;
  }

  async function renew(listener: Listener): Promise<void> {
    if (performance.now() - confirmedAt > LISTENER_TTL_MS) throw new Error('renewed too late');
    await register(listener, [...followers.keys()]);
    confirmedAt = performance.now();
    await listener.query(
      `delete from event_listeners where expires_at < clock_timestamp() - interval '1 minute'`,
      [],
    );
  }

  const register = (listener: Listener, orgs: readonly OrgId[]) =>
    listener.query(
      `insert into event_listeners as l (org_id, listener, expires_at)
       select org_id, $2, clock_timestamp() + $3 * interval '1 millisecond'
       from unnest($1::uuid[]) as org_id
       on conflict (org_id, listener) do update set expires_at = excluded.expires_at`,
      [orgs.map(uuidOf), process, LISTENER_TTL_MS],
    );

  function announce(payload: string): void {
    const [org, id] = payload.split(' ');
    if (org === undefined || id === undefined || !followers.has(orgIds.of(org))) return;
    announced.push({ org: orgIds.of(org), id: eventIds.of(id) });
    if (!isReading) void deliver().catch(lose);
  }

  /** One batch after the other, so that events arrive in the order in which they were committed. */
  async function deliver(): Promise<void> {
    isReading = true;
    try {
      while (announced.length > 0) {
        const batch = Map.groupBy(announced, ({ org }) => org);
        announced = [];
        for (const [org, notices] of batch) await deliverTo(org, notices);
      }
    } finally {
      isReading = false;
    }
  }

  async function deliverTo(org: OrgId, notices: readonly { id: EventId }[]): Promise<void> {
    const ids = notices.map(({ id }) => id);
    for (const event of await findAuditEvents(database, org, ids)) {
      await Promise.all([...(followers.get(org) ?? [])].map((one) => one.onEvent(event)));
    }
  }

  function lose(error: unknown): void {
    log.warn({ err: error }, 'the feed of events was interrupted');
    void stop('The feed was interrupted: read the packs again, then subscribe again.');
  }

  async function stop(message: string): Promise<void> {
    const listener = opening;
    opening = null;
    clearInterval(renewal);
    announced = [];
    const all = [...followers.values()].flatMap((some) => [...some]);
    followers.clear();
    for (const follower of all) follower.onEnd(new RequestRefused('service_unavailable', message));
    count();
    await (await listener?.catch(() => null))?.close();
  }

  function leave(org: OrgId, follower: Follower): void {
    const some = followers.get(org);
    if (some?.delete(follower) !== true) return;
    if (some.size === 0) followers.delete(org);
    count();
  }

  return {
    async follow(org, follower) {
      if (isEnding) throw stopping();
      const some = followers.get(org) ?? new Set();
      followers.set(org, some.add(follower));
      count();
      try {
        opening ??= open();
        await register(await opening, [org]);
      } catch (error) {
        leave(org, follower);
        lose(error);
        throw new RequestRefused(
          'service_unavailable',
          'Events cannot be followed now; try again.',
        );
      }
      return () => leave(org, follower);
    },
    async end() {
      isEnding = true;
      await stop(stopping().message);
    },
  };
}

const stopping = () =>
  new RequestRefused('service_unavailable', 'This server is stopping: subscribe again.');
