import { performance } from 'node:perf_hooks';
import type { RegistryFailure } from '../registry.ts';
import { CallFailed, failed } from './call-failed.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Deadline } from './deadline.ts';
import { insufficientScope, missingRight } from './missing-right.ts';
import { canAskForLess, narrowScope, type Scope, withActionsOf } from './scope.ts';
import { type Bearer, bearerOf, type TokenServices } from './token-realm.ts';
import { ScopeRefused, type Token, type TokenRequest } from './token-service.ts';

export interface AuthorizationOptions {
  readonly registry: URL;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tokens?: TokenServices | undefined;
  /**
   * Fetches a token; it has a time limit of its own, because several calls may wait for the same one. `isLast` says that
   * a refusal of the scope is a failure; otherwise there is more to ask.
   */
  readonly fetchToken: (
    request: TokenRequest,
    basic: string | undefined,
    isLast: boolean,
  ) => Promise<Token>;
}

type Scheme = { readonly kind: 'basic'; readonly header: string } | Bearer;

// Tokens are per repository; a gateway to very many of them must not keep them all.
const MOST_TOKENS = 1_000;

/** Knows how this registry wants to be asked, once it has said so, and keeps its tokens. */
export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #basic: string | undefined;
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, Promise<Token>>();
  #scheme: Scheme | undefined;
  /** The token service knows no `delete`: there, the right to push includes the right to delete. */
  #withoutDelete = false;

  constructor(options: AuthorizationOptions) {
    this.#options = options;
    const { username, password } = options;
    this.#basic =
      username === undefined && password === undefined
        ? undefined
        : `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
  }

  /** Whether credentials are configured, so that the answer to a request without them proves little. */
  get hasCredentials(): boolean {
    return this.#basic !== undefined;
  }

  /** The `Authorization` header for a first try; undefined until we know the scheme. */
  async header(scope: Scope, deadline: Deadline): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    if (scheme.kind === 'basic') return scheme.header;
    try {
      return await this.#bearer(scheme, scope, null, undefined, deadline);
    } catch (error) {
      // The registry's challenge to a request without a token names the least that this one needs.
      if (error instanceof ScopeRefused) return undefined;
      throw error;
    }
  }

  /**
   * A better header after a 401, or undefined when there is none and the 401 stands.
   * @param isSecond whether a token fetched for this very request was refused: then only one for less is worth a try. Of
   * one that was kept that is not known: the service may have been given another key since.
   * Throws `CallFailed` when the token service refuses, is down or must not be asked.
   */
  async renew(
    challengeHeader: string | undefined,
    scope: Scope,
    refused: string | undefined,
    deadline: Deadline,
    isSecond = false,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(challengeHeader ?? '');
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const header = this.#basic;
    const takesBasic = challenges.some(({ scheme }) => scheme === 'basic');
    if (bearer) {
      const { registry, tokens } = this.#options;
      const accepted = bearerOf(bearer, registry, tokens);
      if (typeof accepted !== 'string') {
        if (isSecond && !canAskForLess(bearer, scope)) return undefined;
        this.#scheme = accepted;
        if (!isSecond) return this.#bearer(accepted, scope, bearer.parameters, refused, deadline);
        // For this request alone: it may be for less than the next one needs.
        const less = this.#fetch(accepted, scope, bearer.parameters, true);
        return `Bearer ${(await deadline.race(less)).value}`;
      }
      // Artifactory offers both: where its token service may not be asked, Basic serves as well.
      if (!takesBasic || header === undefined) {
        throw new CallFailed(failed('UNAUTHORIZED', false, accepted));
      }
    }
    if (!takesBasic || header === undefined) return undefined;
    this.#scheme = { kind: 'basic', header };
    return header === refused ? undefined : header;
  }

  /**
   * The header for a registry that answered without a challenge, though it may hide content from anonymous requests:
   * by the challenge at its base, or Basic where there is none either. Throws `CallFailed`.
   */
  async insist(
    baseChallenge: string | undefined,
    scope: Scope,
    deadline: Deadline,
  ): Promise<string | undefined> {
    const header = await this.renew(baseChallenge, scope, undefined, deadline);
    if (header !== undefined || this.#basic === undefined) return header;
    this.#scheme = { kind: 'basic', header: this.#basic };
    return this.#basic;
  }

  /** What a 401 that nothing can be done about says beyond its status. */
  lackOf(challengeHeader: string | undefined, scope: Scope): RegistryFailure | undefined {
    return insufficientScope(parseChallenges(challengeHeader ?? ''), scope, this.hasCredentials);
  }

  /** @param challenge what the registry asked for; null where it was not asked yet */
  async #bearer(
    scheme: Bearer,
    scope: Scope,
    challenge: Challenge['parameters'] | null,
    refused: string | undefined,
    deadline: Deadline,
  ): Promise<string> {
    const key = JSON.stringify([scheme.realm.href, scheme.service, scope]);
    const cached = this.#tokens.get(key);
    if (cached && cached.expires > performance.now() && `Bearer ${cached.value}` !== refused) {
      return `Bearer ${cached.value}`;
    }
    const question = `${key} ${challenge !== null}`;
    let fetching = this.#fetching.get(question);
    if (!fetching) {
      fetching = this.#fetch(scheme, scope, challenge, false)
        .then((token) => this.#keep(key, token))
        .finally(() => this.#fetching.delete(question));
      this.#fetching.set(question, fetching);
    }
    return `Bearer ${(await deadline.race(fetching)).value}`;
  }

  /**
   * Asks for all that we need, and where that is refused for what the challenge names.
   * @param asksLess asks only for that: some services drop an action that they do not know, and the whole scope with it
   */
  async #fetch(
    { realm, service }: Bearer,
    scope: Scope,
    challenge: Challenge['parameters'] | null,
    asksLess: boolean,
  ): Promise<Token> {
    const ask = (wanted: Scope, isLast: boolean) =>
      this.#options.fetchToken({ realm, service, scope: wanted }, this.#basic, isLast);
    const narrow = narrowScope(challenge?.scope, scope);
    const wide = withActionsOf(challenge?.scope, scope);
    const first = this.#withoutDelete || asksLess ? narrow : wide;
    try {
      return await ask(first, first === narrow);
    } catch (error) {
      if (!(error instanceof ScopeRefused)) throw error;
      if (first === narrow) throw await this.#explained(error, challenge, scope, ask);
      try {
        const token = await ask(narrow, true);
        // What one account may not do in one repository says nothing about the others.
        this.#withoutDelete ||= !error.isAboutAccount;
        return token;
      } catch (again) {
        if (!(again instanceof ScopeRefused)) throw again;
        throw await this.#explained(again, challenge, scope, ask);
      }
    }
  }

  /** Whether we are refused or the scope is: a service that knows us gives a token for no scope at all. */
  async #explained(
    refusal: ScopeRefused,
    challenge: Challenge['parameters'] | null,
    scope: Scope,
    ask: (wanted: Scope, isLast: boolean) => Promise<Token>,
  ): Promise<CallFailed> {
    if (challenge === null || !refusal.isAboutAccount) return refusal;
    const isKnown = !this.hasCredentials || (await ask(undefined, false).then(yes, isNo));
    return isKnown
      ? new CallFailed(missingRight(challenge.scope, scope, this.hasCredentials))
      : refusal;
  }

  #keep(key: string, token: Token): Token {
    if (this.#tokens.size >= MOST_TOKENS) this.#tokens.clear();
    this.#tokens.set(key, token);
    return token;
  }
}

const yes = () => true;

/** A service that fails says nothing about us. */
function isNo(error: unknown): false {
  if (error instanceof CallFailed) return false;
  throw error;
}
