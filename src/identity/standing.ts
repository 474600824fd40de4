import type { Log } from '../log.ts';
import type { Caller } from './caller.ts';

/** How often a caller is authenticated again; the end of a session and that of a key are known at once. */
const CHECK_EVERY_MS = 30_000;

/**
 * Watches whether a caller may go on calling, for what outlives a request: until the session's own end, by the clock,
 * and as long as the key or token is found valid. Where that cannot be told (no database, no keys of the issuer), the
 * caller stays, but never beyond the end of the session.
 */
export class Standing implements Disposable {
  readonly #expiresAt: number;
  readonly #isStillCaller: () => Promise<boolean>;
  readonly #log: Log;
  readonly #onLost: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;

  /**
   * @param isStillCaller authenticates the caller again
   * @param onLost the caller may no longer call; it may be called more than once
   */
  constructor(
    { principal }: Caller,
    isStillCaller: () => Promise<boolean>,
    log: Log,
    onLost: () => void,
  ) {
    this.#expiresAt = principal.kind === 'user' ? principal.expiresAt : Number.POSITIVE_INFINITY;
    this.#isStillCaller = isStillCaller;
    this.#log = log;
    this.#onLost = onLost;
    this.#schedule();
  }

  /** Asks now. Never throws. */
  async check(): Promise<void> {
    if (Date.now() >= this.#expiresAt) return this.#onLost();
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      if (!(await this.#isStillCaller())) this.#onLost();
    } catch (error) {
      this.#log.warn({ err: error }, 'whether a caller may go on could not be told');
    } finally {
      this.#isChecking = false;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  /** The next check does not wait for the one before: the clock decides even while nobody answers. */
  #schedule(): void {
    const left = Math.max(0, this.#expiresAt - Date.now());
    this.#timer = setTimeout(
      () => {
        this.#schedule();
        void this.check();
      },
      Math.min(left, CHECK_EVERY_MS),
    ).unref();
  }
}
