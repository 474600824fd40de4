import { actorOf, type Caller } from '../identity/caller.ts';
import { RequestRefused } from '../request-refused.ts';

/** Requests of one caller that wait; each keeps a connection, and nothing has been read or asked for it. */
const LONGEST_LINE = 1_000;

/** Work that is under way, until it is disposed. */
export interface Turn extends Disposable {
  /** Tells that it weighs less than it might have. */
  lighten(weight: number): void;
}

interface OfCaller {
  /** Turns. */
  running: number;
  /** What they weigh. */
  taken: number;
  readonly line: { readonly weight: number; readonly start: (turn: Turn) => void }[];
}

/**
 * Work that takes memory and processor: how much of it one caller may have under way in this process. What is beyond
 * waits for its turn, first come, first served, behind work of the same caller only.
 */
export class Turns {
  readonly #most: number;
  readonly #ofCallers = new Map<string, OfCaller>();

  /** @param most what the work of one caller that is under way may weigh together */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * A turn; at once where there is room, which costs no promise.
   * @param weight what is heavier than all may be together has its turn alone
   * @throws RequestRefused `rate_limited` where too many wait already
   */
  begin(caller: Caller, weight: number): Turn | Promise<Turn> {
    const key = `${caller.orgId} ${actorOf(caller)}`;
    const ofCaller = this.#ofCallers.get(key) ?? { running: 0, taken: 0, line: [] };
    this.#ofCallers.set(key, ofCaller);
    if (ofCaller.line.length === 0 && this.#fits(ofCaller, weight))
      return this.#take(key, ofCaller, weight);
    if (ofCaller.line.length >= LONGEST_LINE) {
      const message = `${LONGEST_LINE} requests of yours wait for others of yours; send fewer at a time.`;
      throw new RequestRefused('rate_limited', message, undefined, 1);
    }
    return new Promise((start) => ofCaller.line.push({ weight, start }));
  }

  #fits({ running, taken }: OfCaller, weight: number): boolean {
    return running === 0 || taken + weight <= this.#most;
  }

  #take(key: string, ofCaller: OfCaller, weight: number): Turn {
    ofCaller.running += 1;
    ofCaller.taken += weight;
    let held = weight;
    let isOver = false;
    const lighten = (left: number) => {
      ofCaller.taken -= Math.max(0, held - left);
      held = Math.min(held, left);
      this.#startNext(key, ofCaller);
    };
    const end = () => {
      if (isOver) return;
      isOver = true;
      ofCaller.running -= 1;
      lighten(0);
    };
    return { lighten, [Symbol.dispose]: end };
  }

  #startNext(key: string, ofCaller: OfCaller): void {
    const { line } = ofCaller;
    while (line[0] !== undefined && this.#fits(ofCaller, line[0].weight)) {
      const next = line.shift();
      next?.start(this.#take(key, ofCaller, next.weight));
    }
    if (ofCaller.running === 0) this.#ofCallers.delete(key);
  }
}
