import { actorOf, type Caller } from '../identity/caller.ts';
import { RequestRefused } from '../request-refused.ts';

/** Streams open at once in this process. Each costs memory, and each event runs its selection once. */
export const maxStreams = { caller: 100, org: 500, process: 2_000 } as const;

/** Who has how many streams: one caller's leave room for the org's others, and one org's for other orgs. */
export class StreamPlaces {
  readonly #taken = new Map<string, number>();
  readonly #onCount: (streams: number) => void;
  #total = 0;

  /** @param onCount told how many streams there are, whenever that changes */
  constructor(onCount: (streams: number) => void) {
    this.#onCount = onCount;
  }

  /**
   * @returns what gives the place back; calling it again changes nothing
   * @throws RequestRefused `rate_limited`
   */
  take(caller: Caller): () => void {
    const org: string = caller.orgId;
    const one = `${org} ${actorOf(caller)}`;
    refuseBeyond(maxStreams.caller, this.#of(one), 'You have');
    refuseBeyond(maxStreams.org, this.#of(org), 'Your org has');
    refuseBeyond(maxStreams.process, this.#total, 'This server has');
    this.#add(one, org, 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#add(one, org, -1);
      isTaken = false;
    };
  }

  #of(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  #add(one: string, org: string, change: 1 | -1): void {
    for (const key of [one, org]) {
      const count = this.#of(key) + change;
      if (count === 0) this.#taken.delete(key);
      else this.#taken.set(key, count);
    }
    this.#total += change;
    this.#onCount(this.#total);
  }
}

function refuseBeyond(limit: number, count: number, who: string): void {
  if (count < limit) return;
  throw new RequestRefused(
    'rate_limited',
    `${who} ${limit} subscriptions open, and no more are allowed: end one, then subscribe again.`,
  );
}
