import { performance } from 'node:perf_hooks';
import { CallFailed, failed } from './call-failed.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Deadline } from './deadline.ts';
import type { Token, TokenRequest } from './token-service.ts';

/** `repository:<name>:<actions>`, several with a space between; undefined where no repository is meant. */
export type Scope = string | undefined;

export interface AuthorizationOptions {
  readonly registry: URL;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /**
   * `host[:port]` of the token services that may be asked, besides the registry itself; left out: whatever port of
   * the registry's host.
   */
  readonly tokenHosts?: readonly string[] | undefined;
  /** Fetches a token; bounded in time by itself, for several calls may wait for the same one. */
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

  constructor(options: AuthorizationOptions) {
    this.#options = options;
    const { username, password } = options;
    this.#basic =
      username === undefined && password === undefined
        ? undefined
        : `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
  }

  /** The `Authorization` header for a first try; undefined until a challenge has taught us the scheme. */
  async header(scope: Scope, deadline: Deadline): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    if (scheme.kind === 'basic') return scheme.header;
    return this.#bearer(scheme, scope, scope, undefined, deadline);
  }

  /**
   * A better header after a 401, or undefined when there is none and the 401 stands.
   * Throws `CallFailed` when the token service refuses, is down or must not be asked.
   */
  async renew(
    challengeHeader: string | undefined,
    scope: Scope,
    refused: string | undefined,
    deadline: Deadline,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(challengeHeader ?? '');
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer) {
      const scheme = this.#accept(bearer);
      this.#scheme = scheme;
      const wanted = withActionsOf(bearer.parameters.scope, scope);
      return this.#bearer(scheme, scope, wanted, refused, deadline);
    }
    const header = this.#basic;
    if (!challenges.some(({ scheme }) => scheme === 'basic') || header === undefined)
      return undefined;
    this.#scheme = { kind: 'basic', header };
    return header === refused ? undefined : header;
  }

  async #bearer(
    scheme: Extract<Scheme, { kind: 'bearer' }>,
    scope: Scope,
    wanted: Scope,
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
      fetching = this.#options
        .fetchToken({ realm: scheme.realm, service: scheme.service, scope: wanted }, this.#basic)
        .then((token) => this.#keep(key, token))
        .finally(() => this.#fetching.delete(key));
      this.#fetching.set(key, fetching);
    }
    return `Bearer ${(await deadline.race(fetching)).value}`;
  }

  #keep(key: string, token: Token): Token {
    if (this.#tokens.size >= MOST_TOKENS) this.#tokens.clear();
    this.#tokens.set(key, token);
    return token;
  }

  /** The realm comes from whoever answered the request: it sees our password only where that is configured. */
  #accept({ parameters }: Challenge): Extract<Scheme, { kind: 'bearer' }> {
    const { registry, tokenHosts } = this.#options;
    const realm = URL.canParse(parameters.realm ?? '')
      ? new URL(parameters.realm ?? '')
      : undefined;
    const known =
      realm !== undefined &&
      (realm.host === registry.host ||
        (tokenHosts?.includes(realm.host) ?? realm.hostname === registry.hostname));
    const secure =
      realm?.protocol === 'https:' ||
      (realm?.protocol === 'http:' && registry.protocol === 'http:');
    if (!realm || !known || !secure) {
      throw new CallFailed(
        failed(
          'UNAUTHORIZED',
          false,
          'the registry names a token service that may not see our credentials: another host, or one without TLS',
        ),
      );
    }
    return { kind: 'bearer', realm, service: parameters.service };
  }
}

/** Our scope, with the actions added that the challenge names for the same repository (older registries want `*`). */
function withActionsOf(challenged: string | undefined, ours: Scope): Scope {
  if (challenged === undefined || ours === undefined) return ours;
  const split = (scope: string) => {
    const at = scope.lastIndexOf(':');
    return { resource: scope.slice(0, at), actions: scope.slice(at + 1).split(',') };
  };
  const [a, b] = [split(ours), split(challenged)];
  if (a.resource !== b.resource) return ours;
  return `${a.resource}:${[...new Set([...a.actions, ...b.actions])].join(',')}`;
}
