import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { EventId, OrgId } from '../model/ids.ts';
import { RequestRefused } from '../request-refused.ts';
import { findAuditEvents } from './find-audit-events.ts';
import type { Follower } from './follower.ts';
import type { AuditEventRow } from './list-audit-events.ts';

/** Events read at a time. */
const BATCH = 500;
/** Announcements that may wait while the database is slow to be read from. */
const WAITING_ANNOUNCEMENTS = 10_000;

/**
 * Those who follow one org on one connection: each event is read once and handed to all of them, in the order in which
 * events were committed. What goes wrong here concerns no other org.
 */
export class OrgFollowers {
  readonly #database: Database;
  readonly #log: Log;
  readonly #org: OrgId;
  readonly #followers = new Set<Follower>();
  #announced: EventId[] = [];
  #isReading = false;
  /** Settles when the database announces this org's events to the connection. */
  readonly heard: Promise<unknown>;

  constructor(database: Database, log: Log, org: OrgId, heard: Promise<unknown>) {
    this.#database = database;
    this.#log = log;
    this.#org = org;
    this.heard = heard;
  }

  get isEmpty(): boolean {
    return this.#followers.size === 0;
  }

  add(follower: Follower): void {
    this.#followers.add(follower);
  }

  delete(follower: Follower): void {
    this.#followers.delete(follower);
  }

  announce(id: EventId): void {
    if (this.#announced.length >= WAITING_ANNOUNCEMENTS) {
      this.end(interrupted());
      return;
    }
    this.#announced.push(id);
    if (!this.#isReading) void this.#deliver();
  }

  /** Tells all of them that there will be no more. */
  end(reason: RequestRefused): void {
    this.#announced = [];
    const all = [...this.#followers];
    this.#followers.clear();
    for (const follower of all) follower.onEnd(reason);
  }

  #tell(follower: Follower, event: AuditEventRow): void {
    try {
      follower.onEvent(event);
    } catch (error) {
      this.#log.error({ err: error, org: this.#org }, 'a follower of events failed');
      this.#followers.delete(follower);
      follower.onEnd(interrupted());
    }
  }

  /** One batch after the other, which keeps the order. */
  async #deliver(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#announced.length > 0) {
        const ids = this.#announced.splice(0, BATCH);
        for (const event of await findAuditEvents(this.#database, this.#org, ids)) {
          for (const follower of this.#followers) this.#tell(follower, event);
        }
      }
    } catch (error) {
      this.#log.warn({ err: error, org: this.#org }, 'events of an org could not be read');
      this.end(interrupted());
    } finally {
      this.#isReading = false;
    }
  }
}

/** Events may have been missed. */
export const interrupted = (): RequestRefused =>
  new RequestRefused(
    'service_unavailable',
    'The feed was interrupted: read again what you follow, then subscribe again.',
  );
