/**
 * Slows down whoever keeps sending tokens that are not valid.
 *
 * A valid key is never refused because of somebody else's failures: it is looked up all the same, whatever its address
 * has done, for an address may be a proxy that everybody shares. What is limited:
 *
 * - one and the same token, by its hash: once it has failed often it is refused without being looked up. By the whole
 *   token and not by the visible prefix of a key, which an attacker could use to lock its owner out.
 * - one address: its further failures are answered `rate_limited` instead of `unauthenticated`.
 *
 * Counted per process: with N replicas a caller has up to N times as many tries.
 */
import { RequestRefused } from '../request-refused.ts';
import { requestScope } from '../telemetry/request-record.ts';

const WINDOW_MS = 60_000;
/** Failures in a window. */
export const FAILURES_PER_TOKEN = 100;
export const FAILURES_PER_ADDRESS = 300;
/** Tokens and addresses remembered; the oldest are forgotten first, so that a flood cannot fill the memory. */
const MOST_REMEMBERED = 10_000;

interface Window {
  failures: number;
  /** By the monotonic clock. */
  readonly endsAt: number;
}

export class FailedAttempts {
  readonly #windows = new Map<string, Window>();

  /**
   * Before a token is looked up.
   * @throws RequestRefused `rate_limited`
   */
  admit(tokenHash: Buffer): void {
    this.#refuseBeyond(tokenKey(tokenHash), FAILURES_PER_TOKEN);
  }

  /**
   * After a token was found to be nobody's.
   * @throws RequestRefused `rate_limited` where its address has sent too many
   */
  failed(tokenHash: Buffer): void {
    this.#count(tokenKey(tokenHash));
    const address = requestScope.getStore()?.address ?? null;
    if (address === null) return;
    this.#refuseBeyond(`address ${address}`, FAILURES_PER_ADDRESS);
    this.#count(`address ${address}`);
  }

  #refuseBeyond(key: string, limit: number): void {
    const window = this.#windows.get(key);
    const left = (window?.endsAt ?? 0) - performance.now();
    if (window === undefined || left <= 0 || window.failures < limit) return;
    const record = requestScope.getStore();
    if (record !== undefined) record.retryAfterSeconds = Math.ceil(left / 1_000);
    throw new RequestRefused(
      'rate_limited',
      'Too many tokens that are not valid; try again later.',
    );
  }

  #count(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined && window.endsAt > performance.now()) {
      window.failures++;
      return;
    }
    // A new window goes to the end: the map's order is that of age.
    this.#windows.delete(key);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= MOST_REMEMBERED && oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(key, { failures: 1, endsAt: performance.now() + WINDOW_MS });
  }
}

const tokenKey = (hash: Buffer): string => `token ${hash.toString('base64')}`;
