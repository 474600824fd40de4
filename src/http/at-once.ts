import type { OrgId } from '../model/ids.ts';
import { RequestRefused } from '../request-refused.ts';

interface Bounds {
  readonly ofOrg: number;
  readonly all: number;
}

/** Things that last, such as uploads: how many one org may have at once, and all orgs together. */
export class AtOnce {
  readonly #what: string;
  readonly #most: Bounds;
  readonly #ofOrgs = new Map<OrgId, number>();
  #all = 0;

  /** @param what in the plural, for messages */
  constructor(what: string, most: Bounds) {
    this.#what = what;
    this.#most = most;
  }

  /**
   * One more, until what is answered is disposed.
   * @throws RequestRefused `rate_limited` where the org has too many, `service_unavailable` where all have
   */
  begin(org: OrgId): Disposable {
    const ofOrg = this.#ofOrgs.get(org) ?? 0;
    if (ofOrg >= this.#most.ofOrg) {
      const message = `Your org has ${ofOrg} ${this.#what} under way here, which is the most it may have; try again.`;
      throw new RequestRefused('rate_limited', message);
    }
    if (this.#all >= this.#most.all) {
      const message = `This server has as many ${this.#what} under way as it can work on; try again.`;
      throw new RequestRefused('service_unavailable', message);
    }
    this.#count(org, 1);
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (!isOver) this.#count(org, -1);
        isOver = true;
      },
    };
  }

  #count(org: OrgId, change: 1 | -1): void {
    const ofOrg = (this.#ofOrgs.get(org) ?? 0) + change;
    if (ofOrg === 0) this.#ofOrgs.delete(org);
    else this.#ofOrgs.set(org, ofOrg);
    this.#all += change;
  }
}
