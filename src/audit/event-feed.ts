import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import type { Log } from '../log.ts';
import { RequestRefused } from '../request-refused.ts';
import { EventConnection } from './event-connection.ts';
import type { Follower } from './follower.ts';
import { StreamPlaces } from './stream-places.ts';

/** Tells the followers of an org of its events, whichever replica wrote them. */
export class EventFeed {
  readonly #connect: () => EventConnection;
  readonly #places: StreamPlaces;
  /** The connection for new followers; one that broke has been replaced by then. */
  #current: EventConnection | null = null;
  #isEnding = false;

  /** @param onCount told how many followers there are, whenever that changes */
  constructor(database: Database, log: Log, onCount: (followers: number) => void) {
    this.#places = new StreamPlaces(onCount);
    this.#connect = () =>
      new EventConnection(database, log, (closed) => {
        if (this.#current === closed) this.#current = null;
      });
  }

  /**
   * Follows the caller's org from now on: what a transaction writes that starts later is heard.
   * @returns what stops it, and gives the caller's place back; to be called also when it has ended by itself
   * @throws RequestRefused `rate_limited` where too many follow already, `service_unavailable`
   */
  async follow(caller: Caller, follower: Follower): Promise<() => void> {
    if (this.#isEnding) throw stopping();
    const release = this.#places.take(caller);
    try {
      this.#current ??= this.#connect();
      const leave = await this.#current.follow(caller.orgId, follower);
      return () => {
        leave();
        release();
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Ends every follower, and refuses new ones: the process is about to stop. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#current?.close(stopping());
  }
}

const stopping = () =>
  new RequestRefused('service_unavailable', 'This server is stopping: subscribe again.');
