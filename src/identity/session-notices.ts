import { errors } from 'jose';
import type { Log } from '../log.ts';
import type { UnusableKey } from './usable-keys.ts';

/** How soon the operator is told again of tokens that are refused for the same reason. */
const TELL_AGAIN_AFTER_MS = 60_000;

/** What the operator is told of an issuer's tokens and keys: of each thing once, or once in a while. */
export class SessionNotices {
  readonly #log: Log;
  /** When tokens were told of last, by the reason, of which there are few: none has a caller's words in it. */
  readonly #toldAt = new Map<string, number>();
  /** After which fetch it was told that one failed; null: after none; undefined: it was not told. */
  #toldAfter: number | null | undefined;
  /** The keys that it was told of last, as text. */
  #unusableTold = '[]';
  #areFormsTold = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** A signed token is refused. Once in a while for each reason: one caller may send the same token again and again. */
  refused(claims: readonly string[], reason: string): void {
    const kind = `${claims}: ${reason}`;
    const since = performance.now() - (this.#toldAt.get(kind) ?? Number.NEGATIVE_INFINITY);
    const isDue = since >= TELL_AGAIN_AFTER_MS;
    if (isDue) this.#toldAt.set(kind, performance.now());
    this.#log[isDue ? 'warn' : 'debug']({ claims }, `a session token was refused: ${reason}`);
  }

  /**
   * What jose has found wrong with a token that the issuer has signed, or perhaps will have: its keys may be newer than
   * ours. What anybody can make up is not worth a line.
   */
  invalid(error: unknown): void {
    if (error instanceof errors.JWTClaimValidationFailed) {
      this.refused([error.claim], error.message);
    } else if (error instanceof errors.JWTExpired) {
      // What happens to every session is nobody's fault.
      this.#log.debug({ claims: [error.claim] }, `a session token was refused: ${error.message}`);
    } else if (error instanceof errors.JWKSNoMatchingKey) {
      this.refused([], 'no key at JWKS_URL has its kid and alg');
    }
  }

  /**
   * The keys cannot be had. Once after each fetch that went well: meanwhile every token asks for them.
   * @param fetchedAt when that was; null: there was none
   */
  keysAway(error: unknown, fetchedAt: number | null): void {
    if (this.#toldAfter === fetchedAt) return;
    this.#toldAfter = fetchedAt;
    // What `fetch` throws says why only in its cause.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
    this.#log.warn(
      { err: error, ...(cause !== undefined && { cause: cause.message || cause.name }) },
      'the keys of JWKS_URL cannot be fetched; session tokens are answered with 503',
    );
  }

  /** What of the fetched keys is passed over. Once, until other keys are: they are fetched again and again. */
  unusableKeys(keys: readonly UnusableKey[]): void {
    const text = JSON.stringify(keys);
    if (text === this.#unusableTold) return;
    this.#unusableTold = text;
    if (keys.length === 0) return;
    this.#log.warn(
      { keys },
      'keys at JWKS_URL cannot be used; session tokens that they have signed are answered with 401',
    );
  }

  /** Claims that are accepted, but that the issuer perhaps did not mean to send in that form. */
  forms({
    scope,
    permissions,
  }: {
    readonly scope?: unknown;
    readonly permissions?: unknown;
  }): void {
    const forms = [
      ...(Array.isArray(scope) ? ['scope is a list'] : []),
      ...(scope === null ? ['scope is null'] : []),
      ...(permissions === null ? ['permissions is null'] : []),
    ];
    if (forms.length === 0 || this.#areFormsTold) return;
    this.#areFormsTold = true;
    this.#log.info({ forms }, 'session tokens have claims of an unusual form; they are accepted');
  }
}
