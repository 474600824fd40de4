/**
 * Slows down senders of tokens that are not valid.
 *
 * A valid key is never refused because of somebody else's failures: it is looked up whatever its address has
 * done, because an address may be a proxy that everybody shares. What is limited:
 *
 * - one and the same token, by its hash: once it has failed often it is refused without being looked up. By the whole
 *   token and not by the visible prefix of a key, which an attacker could use to lock its owner out.
 * - one address (IPv6: one /64): its further failures are answered `rate_limited` instead of `unauthenticated`.
 *
 * Counted per process: with N replicas a caller has up to N times as many tries.
 */
import { RequestRefused } from '../request-refused.ts';
import { networkOf } from './network-of.ts';

/** Long enough to make guessing useless, short for a script that was given the right key meanwhile. */
const WINDOW_MS = 60_000;
/** Failures in a window. */
export const FAILURES_PER_TOKEN = 100;
export const FAILURES_PER_ADDRESS = 300;
/** Tokens remembered, and as many addresses: the oldest are forgotten first, so that a flood cannot fill the memory. */
export const MOST_REMEMBERED = 10_000;

interface Window {
  failures: number;
  /** By the monotonic clock. */
  readonly endsAt: number;
}

export class FailedAttempts {
  // Kept apart: made-up tokens are endless, and would push out the address that they come from.
  readonly #ofTokens = new Map<string, Window>();
  readonly #ofAddresses = new Map<string, Window>();

  /**
   * Before a token is looked up.
   * @throws RequestRefused `rate_limited`
   */
  admit(tokenHash: Buffer): void {
    refuseBeyond(this.#ofTokens, keyOf(tokenHash), FAILURES_PER_TOKEN);
  }

  /**
   * After a token was found to belong to no caller.
   * @param address the sender's, as far as the socket tells
   * @throws RequestRefused `rate_limited` where its address has sent too many
   */
  failed(tokenHash: Buffer, address: string | null): void {
    count(this.#ofTokens, keyOf(tokenHash));
    if (address === null) return;
    const network = networkOf(address);
    refuseBeyond(this.#ofAddresses, network, FAILURES_PER_ADDRESS);
    count(this.#ofAddresses, network);
  }
}

function refuseBeyond(windows: ReadonlyMap<string, Window>, key: string, limit: number): void {
  const window = windows.get(key);
  const left = (window?.endsAt ?? 0) - performance.now();
  if (window === undefined || left <= 0 || window.failures < limit) return;
  const message = 'Too many tokens that are not valid; try again later.';
  throw new RequestRefused('rate_limited', message, undefined, Math.ceil(left / 1_000));
}

function count(windows: Map<string, Window>, key: string): void {
  const window = windows.get(key);
  if (window !== undefined && window.endsAt > performance.now()) {
    window.failures++;
    return;
  }
  // A new window goes to the end: the map's order is that of age.
  windows.delete(key);
  for (const [other, { endsAt }] of windows) {
    if (endsAt > performance.now() && windows.size < MOST_REMEMBERED) break;
    windows.delete(other);
  }
  windows.set(key, { failures: 1, endsAt: performance.now() + WINDOW_MS });
}

const keyOf = (hash: Buffer): string => hash.toString('base64');
