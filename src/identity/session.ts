/** Session JWTs of the control plane (contract, "Who may call"). */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWKSCacheInput,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwksCache,
  jwtVerify,
} from 'jose';
import { fetch } from 'undici';
import { z } from 'zod';
import type { JwtConfig } from '../config.ts';
import { singleLine } from '../input.ts';
import { orgIds } from '../model/ids.ts';
import { Org } from '../model/org.entity.ts';
import { rowsOf } from '../model/rows-of.ts';
import { type ProxyConfig, proxied } from '../outgoing/proxy.ts';
import { USER_AGENT } from '../outgoing/user-agent.ts';
import { RequestRefused } from '../request-refused.ts';
import type { World } from '../world.ts';
import { type Caller, isServiceName, type Scope, scopes } from './caller.ts';

/** Signatures only; a shared secret (HS…) would be a public key that anybody may know. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const CLOCK_TOLERANCE_SECONDS = 30;
const JWKS_TIMEOUT_MS = 3_000;
/** How soon after a fetch an unknown key id causes another: made-up ids must not flood the issuer. */
const JWKS_COOLDOWN_MS = 10_000;
const JWKS_MAX_AGE_MS = 600_000;
/** An issuer has two while it rotates them; each costs the check of a signature. */
const MOST_KEYS_TRIED = 8;

/** How soon the operator is told again of tokens that are refused for the same reason. */
const TELL_AGAIN_AFTER_MS = 60_000;

interface Issuer {
  readonly keys: ReturnType<typeof createRemoteJWKSet>;
  /** Where jose notes when it fetched the keys last. */
  readonly fetched: JWKSCacheInput;
  /** After which fetch the operator was told that one failed; null: after none. */
  toldAfter: number | null | undefined;
  /** When the operator was told last, by the reason, of which there are few: none has a caller's words in it. */
  readonly toldAt: Map<string, number>;
}

// What is known of an issuer lives as long as the configuration that names it, which is as long as its app.
const issuers = new WeakMap<JwtConfig, Issuer>();

const orgRows = rowsOf(Org, 'o', ['id', 'slug']);

const claimsSchema = z.object({
  // In the audit log such a subject would be taken for a key, or for the service itself.
  sub: singleLine(255).refine((sub) => !sub.startsWith('key_') && !isServiceName(sub)),
  org_id: z.string().max(100),
  exp: z.number(),
  // A text by RFC 8693, a list by some issuers; null where a mapper found nothing.
  scope: z.union([z.string(), z.array(z.string())]).nullish(),
  permissions: z.array(z.string()).nullish(),
});

/**
 * The caller that a session token stands for, or null where the token is not valid.
 * @throws RequestRefused `service_unavailable` where the issuer's keys cannot be fetched: the token may be valid
 */
export async function authenticateSession(
  { database, log }: World,
  config: JwtConfig,
  token: string,
  requestId: string,
): Promise<Caller | null> {
  const payload = await verify(log, config, token);
  if (payload === null) return null;
  const { data: claims, error } = claimsSchema.safeParse(payload);
  if (claims === undefined) {
    const names = new Set(error.issues.map(({ path: [name] }) => String(name)));
    tellRefused(log, config, [...names], 'claims are not of the form we read');
    return null;
  }
  noteForms(log, config, claims);
  const orgId = orgIds.parse(claims.org_id);
  const [record] = await database.query<object>(
    `select ${orgRows.columns} from orgs o where o.id = $1::uuid or o.slug = $2`,
    [orgId, isSlug(claims.org_id) ? claims.org_id : null],
  );
  if (record === undefined) {
    tellRefused(log, config, ['org_id'], 'there is no org of this id or slug');
    return null;
  }
  const org = orgRows.ofRecord(record);
  const { scope = null, permissions } = claims;
  const ofScope = typeof scope === 'string' ? scope.split(' ') : (scope ?? []);
  const granted = new Set([...ofScope, ...(permissions ?? [])]);
  return {
    orgId: org.id,
    orgSlug: org.slug,
    scopes: new Set<Scope>(scopes.filter((scope) => granted.has(scope))),
    principal: { kind: 'user', userId: claims.sub, expiresAt: claims.exp * 1_000 },
    requestId,
  };
}

const noted = new WeakSet<JwtConfig>();

/**
 * Tells the operator once of claims that are accepted, but that the issuer perhaps did not mean to send in that form.
 */
function noteForms(
  log: World['log'],
  config: JwtConfig,
  { scope, permissions }: z.output<typeof claimsSchema>,
): void {
  const forms = [
    ...(Array.isArray(scope) ? ['scope is a list'] : []),
    ...(scope === null ? ['scope is null'] : []),
    ...(permissions === null ? ['permissions is null'] : []),
  ];
  if (forms.length === 0 || noted.has(config)) return;
  noted.add(config);
  log.info({ forms }, 'session tokens have claims of an unusual form; they are accepted');
}

async function verify(
  log: World['log'],
  config: JwtConfig,
  token: string,
): Promise<JWTPayload | null> {
  const { issuer, audience } = config;
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub'],
  };
  try {
    return await verifyByAny(config, async (key) => {
      const { payload } =
        typeof key === 'function'
          ? await jwtVerify(token, key, options)
          : await jwtVerify(token, key, options);
      return payload;
    });
  } catch (error) {
    if (saysInvalid(error)) {
      tellInvalid(log, config, error);
      return null;
    }
    tellAway(log, config, error);
    throw new RequestRefused(
      'service_unavailable',
      'The keys that session tokens are checked with cannot be fetched now; try again later.',
    );
  }
}

/**
 * Tells the operator why a token is refused that the issuer has signed, or perhaps will have: its keys may be newer
 * than ours. What anybody can make up is not worth a line.
 */
function tellInvalid(log: World['log'], config: JwtConfig, error: unknown): void {
  if (error instanceof errors.JWTClaimValidationFailed) {
    tellRefused(log, config, [error.claim], error.message);
  } else if (error instanceof errors.JWTExpired) {
    // What happens to every session is nobody's fault.
    log.debug({ claims: [error.claim] }, `a session token was refused: ${error.message}`);
  } else if (error instanceof errors.JWKSNoMatchingKey) {
    tellRefused(log, config, [], 'no key at JWKS_URL has its kid and alg');
  }
}

/** Once in a while for each reason: one caller may send the same token again and again. */
function tellRefused(
  log: World['log'],
  config: JwtConfig,
  claims: readonly string[],
  reason: string,
): void {
  const { toldAt } = issuerOf(config);
  const kind = `${claims}: ${reason}`;
  const since = performance.now() - (toldAt.get(kind) ?? Number.NEGATIVE_INFINITY);
  const isDue = since >= TELL_AGAIN_AFTER_MS;
  if (isDue) toldAt.set(kind, performance.now());
  log[isDue ? 'warn' : 'debug']({ claims }, `a session token was refused: ${reason}`);
}

/** Once after each fetch that went well: while the keys cannot be had, every token asks for them. */
function tellAway(log: World['log'], config: JwtConfig, error: unknown): void {
  const issuer = issuerOf(config);
  const after = issuer.fetched.uat ?? null;
  if (issuer.toldAfter === after) return;
  issuer.toldAfter = after;
  // What `fetch` throws says why only in its cause.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  log.warn(
    { err: error, ...(cause !== undefined && { cause: cause.message || cause.name }) },
    'the keys of JWKS_URL cannot be fetched; session tokens are answered with 503',
  );
}

/** A key id is optional (RFC 7515, section 4.1.4): without one each key of the algorithm is tried, and a key without one too. */
async function verifyByAny(
  config: JwtConfig,
  check: (key: JWTVerifyGetKey | CryptoKey) => Promise<JWTPayload>,
): Promise<JWTPayload> {
  const { keys: published } = issuerOf(config);
  try {
    return await check(published);
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return anyOf(error, check);
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    const nameless = published.jwks()?.keys.filter(({ kid }) => kid === undefined) ?? [];
    const local = createLocalJWKSet({ keys: nameless });
    return check(({ kid: _kid, ...header }, token) => local(header, token)).catch(
      (one: unknown) => {
        if (one instanceof errors.JWKSMultipleMatchingKeys) return anyOf(one, check);
        throw one;
      },
    );
  }
}

async function anyOf(
  candidates: AsyncIterable<CryptoKey>,
  check: (key: CryptoKey) => Promise<JWTPayload>,
): Promise<JWTPayload> {
  let tried = 0;
  for await (const key of candidates) {
    if (++tried > MOST_KEYS_TRIED) break;
    try {
      return await check(key);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

function issuerOf(config: JwtConfig): Issuer {
  const known = issuers.get(config);
  if (known !== undefined) return known;
  const fetched: JWKSCacheInput = {};
  const keys = createRemoteJWKSet(config.jwksUrl, {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
    headers: { 'user-agent': USER_AGENT },
    [jwksCache]: fetched,
    ...(config.proxy === null ? {} : { [customFetch]: through(config.proxy) }),
  });
  const made: Issuer = { keys, fetched, toldAfter: undefined, toldAt: new Map() };
  issuers.set(config, made);
  return made;
}

function through(proxy: ProxyConfig): FetchImplementation {
  const dispatcher = proxied(proxy);
  return async (url, { headers, method, redirect, signal }) =>
    // undici's Response is the global one but for its types, which jose takes.
    (await fetch(url, {
      headers: Object.fromEntries(headers),
      method,
      redirect,
      signal,
      dispatcher,
    })) as unknown as Response;
}

/** The token's own fault; every other error is about fetching the keys. */
const saysInvalid = (error: unknown): boolean =>
  error instanceof errors.JWTClaimValidationFailed ||
  error instanceof errors.JWTExpired ||
  error instanceof errors.JWTInvalid ||
  error instanceof errors.JWSInvalid ||
  error instanceof errors.JWSSignatureVerificationFailed ||
  error instanceof errors.JOSEAlgNotAllowed ||
  error instanceof errors.JOSENotSupported ||
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys;

const isSlug = (text: string): boolean => /^[a-z0-9-]{1,63}$/.test(text);
