import { type BulkheadPolicy, bulkhead, isBulkheadRejectedError } from 'cockatiel';
import type { OrgId } from './model/ids.ts';
import { RequestRefused } from './request-refused.ts';

interface Bounds {
  readonly atOnce: number;
  readonly waiting: number;
}

/** A queue for each org, in front of what all share: no org keeps the others waiting with more than its share. */
export class OrgsInTurn {
  readonly #what: string;
  readonly #ofOrg: Bounds;
  readonly #queues = new Map<OrgId | null, BulkheadPolicy>();

  /**
   * @param what in the plural, for messages
   * @param ofOrg how much of its work one org may have under way, and how much may wait for that
   */
  constructor(what: string, ofOrg: Bounds) {
    this.#what = what;
    this.#ofOrg = ofOrg;
  }

  /**
   * Does the work when it is the turn of the org; null: the platform.
   * @throws RequestRefused `rate_limited` where as much of the org's waits already as may; and what `work` throws
   */
  async run<T>(org: OrgId | null, work: () => Promise<T>): Promise<T> {
    const { atOnce, waiting } = this.#ofOrg;
    const own = this.#queues.get(org) ?? bulkhead(atOnce, waiting);
    this.#queues.set(org, own);
    try {
      return await own.execute(work);
    } catch (error) {
      if (!isBulkheadRejectedError(error)) throw error;
      const message = `Your org has ${waiting} ${this.#what} waiting here, which is the most it may have; nothing was changed, try again.`;
      throw new RequestRefused('rate_limited', message);
    } finally {
      if (own.executionSlots === atOnce) this.#queues.delete(org);
    }
  }
}
