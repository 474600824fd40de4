/**
 * One connection that listens, and all that lives and dies with it: its renewals and its followers.
 *
 * The database announces an event's id when its transaction commits (`audit_events_announce`), but only to orgs that a
 * listener has put down in `event_listeners`; the connection keeps these entries alive. No event is missed silently:
 * once a gap is possible, every follower is told that it has ended, and the connection is given up.
 */
import DataLoader from 'dataloader';
import type { Database } from '../database/database.ts';
import type { Listener } from '../database/notifications.ts';
import type { Log } from '../log.ts';
import { eventIds, newUuid, type OrgId, orgIds } from '../model/ids.ts';
import { RequestRefused } from '../request-refused.ts';
import type { Follower } from './follower.ts';
import { interrupted, OrgFollowers } from './org-followers.ts';

/** How long the database announces to a listener that has died. */
const LISTENER_TTL_MS = 60_000;
const RENEW_EVERY_MS = 20_000;

export class EventConnection {
  readonly #database: Database;
  readonly #log: Log;
  readonly #onClose: (connection: EventConnection) => void;
  readonly #name = newUuid();
  readonly #orgs = new Map<OrgId, OrgFollowers>();
  readonly #listener: Promise<Listener>;
  /** Has the events of an org announced; of many at once, in one statement. */
  readonly #heard: DataLoader<OrgId, OrgId>;
  #renewal: NodeJS.Timeout | undefined;
  /** Every org is announced from then on for as long as an entry lives, by the monotonic clock. */
  #renewedAt = performance.now();
  /** The last statement that was sent, once it is answered. */
  #sent: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @param onClose called once, at the moment from which no new follower may come here */
  constructor(database: Database, log: Log, onClose: (connection: EventConnection) => void) {
    this.#database = database;
    this.#log = log;
    this.#onClose = onClose;
    this.#listener = this.#open();
    this.#heard = new DataLoader(
      async (orgs) => {
        await this.#register(orgs);
        return orgs;
      },
      { cache: false, batchScheduleFn: (send) => void setImmediate(send) },
    );
    this.#listener.catch((error: unknown) => this.#lose(error));
  }

  /**
   * Follows an org from now on: what a transaction writes that starts later is heard.
   * @returns what stops it
   * @throws RequestRefused `service_unavailable`, to this follower alone
   */
  async follow(org: OrgId, follower: Follower): Promise<() => void> {
    const known = this.#orgs.get(org);
    const followers =
      known ?? new OrgFollowers(this.#database, this.#log, org, this.#heard.load(org));
    this.#orgs.set(org, followers);
    followers.add(follower);
    const leave = () => {
      followers.delete(follower);
      // The next follower has the org announced again: its entry may have lapsed meanwhile.
      if (followers.isEmpty && this.#orgs.get(org) === followers) this.#orgs.delete(org);
    };
    try {
      await followers.heard;
      if (this.#isClosed) throw new Error('the connection was closed meanwhile');
    } catch (error) {
      leave();
      this.#log.warn({ err: error, org }, 'the events of an org cannot be followed');
      throw new RequestRefused(
        'service_unavailable',
        'Events cannot be followed now; try again later.',
      );
    }
    return leave;
  }

  /** Ends every follower. */
  async close(reason: RequestRefused): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#renewal);
    this.#onClose(this);
    for (const followers of this.#orgs.values()) followers.end(reason);
    this.#orgs.clear();
    await (await this.#listener.catch(() => null))?.close();
  }

  async #open(): Promise<Listener> {
    const listener = await this.#database.listen(
      'audit_events',
      (payload) => this.#announce(payload),
      (error) => this.#lose(error),
    );
    if (!this.#isClosed) {
      this.#renewedAt = performance.now();
      this.#renewal = setInterval(() => void this.#renew(), RENEW_EVERY_MS).unref();
    }
    return listener;
  }

  #announce(payload: string): void {
    // The trigger announces UUIDs.
    const [org, id] = payload.split(' ');
    if (org === undefined || id === undefined) return;
    this.#orgs.get(orgIds.of(org))?.announce(eventIds.of(id));
  }

  /** Proves, too, that the connection still carries something. */
  async #renew(): Promise<void> {
    if (this.#orgs.size === 0) return this.close(interrupted());
    const sentAt = performance.now();
    try {
      await this.#register([...this.#orgs.keys()]);
      const silence = performance.now() - this.#renewedAt;
      if (silence > LISTENER_TTL_MS) throw new Error('renewed too late');
      this.#renewedAt = sentAt;
      await this.#query(
        `delete from event_listeners where expires_at < clock_timestamp() - interval '1 minute'`,
        [],
      );
    } catch (error) {
      const next = performance.now() - this.#renewedAt + RENEW_EVERY_MS;
      if (next >= LISTENER_TTL_MS) this.#lose(error);
      else
        this.#log.warn(
          { err: error },
          'the feed of events was not renewed; it will be tried again',
        );
    }
  }

  #register(orgs: readonly OrgId[]): Promise<unknown> {
    return this.#query(
      `insert into event_listeners as l (org_id, listener, expires_at)
       select distinct org_id, $2::uuid, clock_timestamp() + $3 * interval '1 millisecond'
       from unnest($1::uuid[]) as org_id
       on conflict (org_id, listener) do update set expires_at = excluded.expires_at`,
      [orgs, this.#name, LISTENER_TTL_MS],
    );
  }

  /** One after the other: the connection is a single one, and the driver keeps no queue for it. */
  #query(sql: string, values: unknown[]): Promise<unknown> {
    const sent = this.#sent.then(async () => (await this.#listener).query(sql, values));
    this.#sent = sent.catch(() => undefined);
    return sent;
  }

  #lose(error: unknown): void {
    if (this.#isClosed) return;
    this.#log.warn({ err: error }, 'the feed of events was interrupted');
    void this.close(interrupted());
  }
}
