import { actorOf, type Caller } from '../identity/caller.ts';
import { RequestRefused } from '../request-refused.ts';

/** Requests of one caller that wait; each keeps a connection, and nothing has been read or asked for it. */
const LONGEST_LINE = 1_000;
/** Callers remembered although nothing of theirs is under way. */
const MOST_IDLE = 1_000;

/** Work of a small part of what may be under way is light: nothing heavy keeps it waiting. */
const LIGHT = 1 / 32;

/** Work that is under way, until it is disposed. */
export interface Turn extends Disposable {
  /** Tells that it weighs less than it might have. */
  lighten(weight: number): void;
}

/**
 * Work that takes memory and processor: how much of it one caller may have under way in this process. What is beyond
 * waits for its turn, first come, first served, behind work of the same caller only: light work behind light, heavy behind
 * heavy.
 */
export class Turns {
  readonly #most: number;
  readonly #lines = new Map<string, Line>();

  /** @param most what the light work of one caller that is under way may weigh together, and its heavy work as well */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * A turn; at once where there is room, which costs no promise.
   * @param weight what is heavier than all may be together has its turn alone
   * @throws RequestRefused `rate_limited` where too many wait already
   */
  begin(caller: Caller, weight: number): Turn | Promise<Turn> {
    const lane = weight <= this.#most * LIGHT ? 'light' : 'heavy';
    return this.#lineOf(`${lane} ${caller.orgId} ${actorOf(caller)}`).begin(weight);
  }

  #lineOf(key: string): Line {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    // Not whenever one is idle: in a Map with many insertions and deletions V8 keeps young garbage alive.
    if (this.#lines.size >= MOST_IDLE) {
      for (const [idle, line] of this.#lines) if (line.isIdle) this.#lines.delete(idle);
    }
    const line = new Line(this.#most);
    this.#lines.set(key, line);
    return line;
  }
}

/** The work of one caller. */
class Line {
  readonly #most: number;
  readonly #waiting: { readonly weight: number; readonly start: (turn: Turn) => void }[] = [];
  #running = 0;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get isIdle(): boolean {
    return this.#running === 0;
  }

  begin(weight: number): Turn | Promise<Turn> {
    if (this.#waiting.length === 0 && this.#fits(weight)) return this.#take(weight);
    if (this.#waiting.length >= LONGEST_LINE) {
      const message = `${LONGEST_LINE} of your requests wait for others of yours; send fewer at a time.`;
      throw new RequestRefused('rate_limited', message, undefined, 1);
    }
    return new Promise((start) => this.#waiting.push({ weight, start }));
  }

  lighten(by: number): void {
    this.#taken -= by;
    this.#startNext();
  }

  end(weight: number): void {
    this.#running -= 1;
    this.lighten(weight);
  }

  #fits(weight: number): boolean {
    return this.isIdle || this.#taken + weight <= this.#most;
  }

  #take(weight: number): Turn {
    this.#running += 1;
    this.#taken += weight;
    return new TakenTurn(this, weight);
  }

  #startNext(): void {
    for (let [next] = this.#waiting; next && this.#fits(next.weight); [next] = this.#waiting) {
      this.#waiting.shift();
      next.start(this.#take(next.weight));
    }
  }
}

class TakenTurn implements Turn {
  readonly #line: Line;
  #weight: number;
  #isOver = false;

  constructor(line: Line, weight: number) {
    this.#line = line;
    this.#weight = weight;
  }

  lighten(weight: number): void {
    if (this.#isOver || weight >= this.#weight) return;
    this.#line.lighten(this.#weight - weight);
    this.#weight = weight;
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#line.end(this.#weight);
  }
}
