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
import type { Log } from '../log.ts';
import { orgIds } from '../model/ids.ts';
import { Org } from '../model/org.entity.ts';
import { rowsOf } from '../model/rows-of.ts';
import { type ProxyConfig, proxied } from '../outgoing/proxy.ts';
import { USER_AGENT } from '../outgoing/user-agent.ts';
import { RequestRefused } from '../request-refused.ts';
import { SLUG } from '../slug.ts';
import type { World } from '../world.ts';
import { type Caller, isServiceName, type Scope, scopes } from './caller.ts';
import { SessionNotices } from './session-notices.ts';
import { ALGORITHMS, withoutUnusable } from './usable-keys.ts';

const CLOCK_TOLERANCE_SECONDS = 30;
const JWKS_TIMEOUT_MS = 3_000;
/** How soon after a fetch an unknown key id causes another: made-up ids must not flood the issuer. */
const JWKS_COOLDOWN_MS = 10_000;
const JWKS_MAX_AGE_MS = 600_000;
/** An issuer has two while it rotates them; each costs the check of a signature. */
const MOST_KEYS_TRIED = 8;

interface Issuer {
  readonly keys: ReturnType<typeof createRemoteJWKSet>;
  /** Where jose notes when it fetched the keys last. */
  readonly fetched: JWKSCacheInput;
  readonly notices: SessionNotices;
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
  const issuer = issuerOf(config, log);
  const payload = await verify(config, issuer, token);
  if (payload === null) return null;
  const { data: claims, error } = claimsSchema.safeParse(payload);
  if (claims === undefined) {
    const names = new Set(error.issues.map(({ path: [name] }) => String(name)));
    issuer.notices.refused([...names], 'claims are not of the form we read');
    return null;
  }
  issuer.notices.forms(claims);
  const orgId = orgIds.parse(claims.org_id);
  const [record] = await database.query<object>(
    `select ${orgRows.columns} from orgs o where o.id = $1::uuid or o.slug = $2`,
    [orgId, SLUG.test(claims.org_id) ? claims.org_id : null],
  );
  if (record === undefined) {
    issuer.notices.refused(['org_id'], 'there is no org of this id or slug');
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
    principal: { kind: 'user', userId: claims.sub, expiresAt: endOf(claims.exp) },
    requestId,
  };
}

/**
 * When a session ends, in milliseconds of the epoch, by its `exp` in seconds. One that is taken although it is over, as
 * clocks differ, ends with that tolerance: a stream that it opens must not end at once.
 */
function endOf(exp: number): number {
  const end = exp * 1_000;
  return end > Date.now() ? end : end + CLOCK_TOLERANCE_SECONDS * 1_000;
}

async function verify(
  { issuer, audience }: JwtConfig,
  { keys, fetched, notices }: Issuer,
  token: string,
): Promise<JWTPayload | null> {
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub'],
  };
  try {
    return await verifyByAny(keys, async (key) => {
      const { payload } =
        typeof key === 'function'
          ? await jwtVerify(token, key, options)
          : await jwtVerify(token, key, options);
      return payload;
    });
  } catch (error) {
    if (saysInvalid(error)) {
      notices.invalid(error);
      return null;
    }
    notices.keysAway(error, fetched.uat ?? null);
    throw new RequestRefused(
      'service_unavailable',
      'The keys that session tokens are checked with cannot be fetched now; try again later.',
    );
  }
}

/** A key id is optional (RFC 7515, section 4.1.4): without one each key of the algorithm is tried, and a key without one too. */
async function verifyByAny(
  published: Issuer['keys'],
  check: (key: JWTVerifyGetKey | CryptoKey) => Promise<JWTPayload>,
): Promise<JWTPayload> {
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

function issuerOf(config: JwtConfig, log: Log): Issuer {
  const known = issuers.get(config);
  if (known !== undefined) return known;
  const fetched: JWKSCacheInput = {};
  const notices = new SessionNotices(log);
  const keys = createRemoteJWKSet(config.jwksUrl, {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
    headers: { 'user-agent': USER_AGENT },
    [jwksCache]: fetched,
    [customFetch]: usableKeys(config.proxy, notices),
  });
  const made: Issuer = { keys, fetched, notices };
  issuers.set(config, made);
  return made;
}

function usableKeys(proxy: ProxyConfig | null, notices: SessionNotices): FetchImplementation {
  const dispatcher = proxy === null ? undefined : proxied(proxy);
  return async (url, { headers, method, redirect, signal }) => {
    const response = await fetch(url, {
      headers: Object.fromEntries(headers),
      method,
      redirect,
      signal,
      ...(dispatcher && { dispatcher }),
    });
    const json = async () => {
      const { keys, unusable } = await withoutUnusable(await response.json());
      notices.unusableKeys(unusable);
      return keys;
    };
    // All that jose reads of a response.
    return { status: response.status, json } as Response;
  };
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
