import { performance } from 'node:perf_hooks';
import { namesHost } from '../host.ts';
import { CallFailed, failed } from './call-failed.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Deadline } from './deadline.ts';
import { canAskForLess, narrowScope, type Scope, withActionsOf } from './scope.ts';
import { ScopeRefused, type Token, type TokenRequest } from './token-service.ts';

/** The token services that may be asked, besides the registry itself. */
export interface TokenServices {
  /** `host[:port]`. */
  readonly hosts: readonly string[];
  /** Whether any port of the registry's host may be one. */
  readonly otherPorts: boolean;
  /** The variable that allows more. */
  readonly variable: string;
}

const ownTokenServices: TokenServices = {
  hosts: [],
  otherPorts: true,
  variable: 'REGISTRY_TOKEN_HOSTS',
};

export interface AuthorizationOptions {
  readonly registry: URL;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tokens?: TokenServices | undefined;
  /** Fetches a token; it has a time limit of its own, because several calls may wait for the same one. */
  readonly fetchToken: (request: TokenRequest, basic: string | undefined) => Promise<Token>;
}

type Scheme =
  | { readonly kind: 'basic'; readonly header: string }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined };

// Tokens are per repository; a gateway to very many of them must not keep them all.
const MOST_TOKENS = 1_000;

/** Knows how this registry wants to be asked, once it has said so, and keeps its tokens. */
export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #basic: string | undefined;
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, Promise<Token>>();
  #scheme: Scheme | undefined;
  /** The token service refuses scopes with `delete`: there, the right to push includes the right to delete. */
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
    return this.#bearer(scheme, scope, {}, undefined, deadline);
  }

  /**
   * A better header after a 401, or undefined when there is none and the 401 stands.
   * @param isSecond whether a token fetched for this very request was refused: then only one for less is worth a try
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
      const accepted = this.#accept(bearer);
      if (typeof accepted !== 'string') {
        if (isSecond && !canAskForLess(bearer, scope)) return undefined;
        this.#scheme = accepted;
        return this.#bearer(accepted, scope, bearer.parameters, refused, deadline);
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

  async #bearer(
    scheme: Extract<Scheme, { kind: 'bearer' }>,
    scope: Scope,
    { scope: challenged, error }: Challenge['parameters'],
    refused: string | undefined,
    deadline: Deadline,
  ): Promise<string> {
    const key = JSON.stringify([scheme.realm.href, scheme.service, scope]);
    const cached = this.#tokens.get(key);
    if (cached && cached.expires > performance.now() && `Bearer ${cached.value}` !== refused) {
      return `Bearer ${cached.value}`;
    }
    let fetching = this.#fetching.get(key);
    if (!fetching) {
      // A token that has not expired was granted for less than was asked: some services drop an action that they do
      // not know, and the whole scope with it.
      const asksTooMuch = refused?.startsWith('Bearer ') === true && error !== 'invalid_token';
      fetching = this.#fetch(scheme, scope, challenged, asksTooMuch)
        .then((token) => this.#keep(key, token))
        .finally(() => this.#fetching.delete(key));
      this.#fetching.set(key, fetching);
    }
    return `Bearer ${(await deadline.race(fetching)).value}`;
  }

  /** Asks for all that we need, and where that is refused for what the challenge names. */
  async #fetch(
    { realm, service }: Extract<Scheme, { kind: 'bearer' }>,
    scope: Scope,
    challenged: string | undefined,
    asksTooMuch: boolean,
  ): Promise<Token> {
    const ask = (wanted: Scope) =>
      this.#options.fetchToken({ realm, service, scope: wanted }, this.#basic);
    const narrow = narrowScope(challenged, scope);
    if (this.#withoutDelete || asksTooMuch) return ask(narrow);
    const wide = withActionsOf(challenged, scope);
    try {
      return await ask(wide);
    } catch (error) {
      if (!(error instanceof ScopeRefused) || narrow === wide) throw error;
      const token = await ask(narrow);
      this.#withoutDelete = true;
      return token;
    }
  }

  #keep(key: string, token: Token): Token {
    if (this.#tokens.size >= MOST_TOKENS) this.#tokens.clear();
    this.#tokens.set(key, token);
    return token;
  }

  /**
   * The realm comes from whatever answered the request, so it gets our password only where the configuration allows
   * it. Answers with a text that says why where it does not.
   */
  #accept({ parameters }: Challenge): Extract<Scheme, { kind: 'bearer' }> | string {
    const { registry, tokens = ownTokenServices } = this.#options;
    const text = parameters.realm ?? '';
    const isPath = /^\/[^/\\]/.test(text);
    const realm = URL.canParse(text)
      ? new URL(text)
      : isPath && URL.canParse(text, registry.href)
        ? new URL(text, registry)
        : undefined;
    const known =
      realm !== undefined &&
      (realm.host === registry.host ||
        namesHost(tokens.hosts, realm) ||
        (tokens.otherPorts && realm.hostname === registry.hostname));
    const secure =
      realm?.protocol === 'https:' ||
      (realm?.protocol === 'http:' && registry.protocol === 'http:');
    if (!realm || !known || !secure) return refusalOf(realm, known, tokens);
    return { kind: 'bearer', realm, service: parameters.service };
  }
}

function refusalOf(realm: URL | undefined, known: boolean, { variable }: TokenServices): string {
  // The host is the only part of the registry's answer that we repeat, because the operator has to know which one to
  // allow. A URL's host holds only letters, digits and a few signs.
  if (realm === undefined || realm.host === '' || realm.host.length > 255) {
    return 'the registry names no token service that can be asked';
  }
  return known
    ? `the registry names a token service without TLS at ${realm.host}: no credentials are sent there`
    : `the registry names a token service at ${realm.host}: no credentials are sent there unless ${variable} names that host`;
}
