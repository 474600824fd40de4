/** Fetches Bearer tokens as the Docker registry token authentication specification describes. */
import { performance } from 'node:perf_hooks';
import type { RegistryFailure } from '../registry.ts';
import { contentOf, isRecord } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import { classify } from './classify.ts';
import type { Deadline } from './deadline.ts';
import { readCapped, type Transport } from './transport.ts';

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  /** Several with a space between, as a challenge names them. */
  readonly scope: string | undefined;
}

export interface Token {
  readonly value: string;
  /** On the clock of `performance.now()`, a margin already taken off. */
  readonly expires: number;
}

const TOKEN_BODY_LIMIT = 64 * 1024;
/** Seconds a token lasts when its service does not say (the specification's default). */
const DEFAULT_LIFETIME = 60;
/** Seconds taken off, at most a quarter of the lifetime: the registry's clock and the way there. */
const MARGIN = 10;

/**
 * The service gives no token for this scope. The specification has it give one for what it allows of it; some refuse
 * the whole instead, where they do not know an action (Quay has no `delete`), or where the account may not do it.
 */
export class ScopeRefused extends CallFailed {
  readonly status: number;

  constructor(failure: RegistryFailure, status: number) {
    super(failure);
    this.status = status;
  }

  /** 401 or 403: it may be about this account and repository, or about us; else it is about the request itself. */
  get isAboutAccount(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

const refused = failed(
  'UNAUTHORIZED',
  false,
  'the token service does not accept our credentials: check REGISTRY_USERNAME and REGISTRY_PASSWORD',
);

/**
 * Throws `CallFailed`: `UNAUTHORIZED` where the service refuses us, retryable where it is down or answers nonsense.
 */
export async function fetchToken(
  transport: Transport,
  request: TokenRequest,
  basic: string | undefined,
  deadline: Deadline,
): Promise<Token> {
  const url = new URL(request.realm);
  if (request.service !== undefined) url.searchParams.set('service', request.service);
  for (const scope of request.scope?.split(' ') ?? []) url.searchParams.append('scope', scope);
  const asked = performance.now();
  const headers = { accept: 'application/json', ...(basic ? { authorization: basic } : {}) };
  const open = await transport.open({ method: 'GET', url, headers }, deadline);
  const answer = await readCapped(open, TOKEN_BODY_LIMIT, deadline);
  const failure = serviceFailure(classify('GET', answer, Date.now()));
  if (failure.reason === 'RATE_LIMITED') throw new CallFailed(failure);
  if (answer.status === 401 || answer.status === 403)
    throw new ScopeRefused(refused, answer.status);
  const content = contentOf(answer);
  const body = content.kind === 'json' && isRecord(content.value) ? content.value : {};
  // Some send both, one of them empty.
  const value = body.token || body.access_token;
  if (answer.status !== 200 || typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    const isAboutRequest = [400, 404, 405, 422].includes(answer.status);
    throw isAboutRequest ? new ScopeRefused(failure, answer.status) : new CallFailed(failure);
  }
  const said = Number(body.expires_in);
  const lifetime = said > 0 ? said : DEFAULT_LIFETIME;
  return { value, expires: asked + (lifetime - Math.min(MARGIN, lifetime / 4)) * 1_000 };
}

/** A token service does not answer as a registry does: only its `Retry-After` is read as the table reads one. */
function serviceFailure(verdict: ReturnType<typeof classify>) {
  const pause = verdict.kind === 'failed' ? verdict.retryAfterSeconds : undefined;
  const limited = verdict.kind === 'failed' && verdict.reason === 'RATE_LIMITED';
  return {
    ...failed(
      limited ? 'RATE_LIMITED' : 'REGISTRY_ERROR',
      true,
      'the registry’s token service gives no token now',
    ),
    ...(pause === undefined ? {} : { retryAfterSeconds: pause }),
  };
}
